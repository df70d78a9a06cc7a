/* What can be wrong with the mesh section of a deck that the key table cannot say. Rank 0, no MPI. */
#include "mesh_impl.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const double largest_ratio = 1e6; /* of the widths on an axis */
static const double most_cells = 1e13;

/* The key table lets any name stand for an axis. */
static bool checks_names(const InkDeck *deck, InkErrors *errors) {
  bool good = true;
  int count = ink_deck_count(deck, "mesh");
  for (int i = 0; i < count; i++) {
    const char *name = ink_deck_name(deck, "mesh", i);
    if (strcmp(name, "coordinates") == 0 || (strlen(name) == 1 && strchr("xyzr", name[0]))) continue;
    char path[128];
    snprintf(path, sizeof path, "mesh.%s", name);
    ink_deck_error(deck, errors, path, "no such axis: axes are x, y and z, or r");
    good = false;
  }
  return good;
}

static bool checks_letters(const InkDeck *deck, InkCoordinates coordinates, InkErrors *errors) {
  const char *wanted = ink_mesh_letters(coordinates);
  bool good = true;
  /* x missing is reported below, once; what is left is z without y. */
  for (const char *c = "xyzr"; *c; c++) {
    char path[8];
    snprintf(path, sizeof path, "mesh.%c", *c);
    const char *place = strchr(wanted, *c);
    bool given = ink_deck_has(deck, "mesh.%c", *c);
    if (given && !place) {
      ink_deck_error(deck, errors, path, "%s coordinates have %s", ink_deck_text(deck, "mesh.coordinates"),
                     coordinates == INK_CARTESIAN      ? "the axes x, y and z, not r"
                     : coordinates == INK_AXISYMMETRIC ? "the axes r and z"
                                                       : "the one axis r");
      good = false;
    }
    if (given && place && place > wanted + 1 && !ink_deck_has(deck, "mesh.%c", place[-1])) {
      ink_deck_error(deck, errors, path, "needs axis %c too: axes are x, or x and y, or x, y and z",
                     place[-1]);
      good = false;
    }
  }
  const int needed = coordinates == INK_AXISYMMETRIC ? 2 : 1;
  for (int a = 0; a < needed; a++) {
    if (ink_deck_has(deck, "mesh.%c", wanted[a])) continue;
    ink_deck_error(deck, errors, "mesh", "axis %c is missing: give mesh.%c with from, to and cells",
                   wanted[a], wanted[a]);
    good = false;
  }
  return good;
}

static bool checks_keys(const InkDeck *deck, char name, InkErrors *errors) {
  static const char *const stretch[] = {"to", "cells", "grading"};
  char path[32];
  snprintf(path, sizeof path, "mesh.%c", name);
  bool good = ink_deck_node(deck, "mesh.%c.from", name) != NULL; /* a required key: reported by the reader */
  if (ink_deck_has(deck, "mesh.%c.segments", name)) {
    for (int i = 0; i < 3; i++) {
      if (!ink_deck_has(deck, "mesh.%c.%s", name, stretch[i])) continue;
      snprintf(path, sizeof path, "mesh.%c.%s", name, stretch[i]);
      ink_deck_error(deck, errors, path, "stands in each of the segments when there are segments");
      good = false;
    }
    int count = ink_deck_count(deck, "mesh.%c.segments", name);
    for (int s = 0; s < count; s++)
      good = good && ink_deck_node(deck, "mesh.%c.segments[%d].to", name, s) &&
             ink_deck_node(deck, "mesh.%c.segments[%d].cells", name, s);
    if (count == 0) {
      ink_deck_error(deck, errors, path, "segments is empty: give at least one {to, cells}");
      good = false;
    }
    return good;
  }
  for (int i = 0; i < 2; i++) {
    if (ink_deck_has(deck, "mesh.%c.%s", name, stretch[i])) continue;
    ink_deck_error(deck, errors, path, "%s is missing: give from, to and cells, or from and segments",
                   stretch[i]);
    good = false;
  }
  return good;
}

/* Are there cells whose faces could round to the same number? Errs on the safe side. */
static bool too_narrow(double from, const InkAxisSegment *segment) {
  InkAxisSpec stretch = {
      .from = from, .to = segment->to, .cells = segment->cells, .grading = segment->grading};
  double mean = (segment->to - from) / (double)segment->cells, ratio = ink_axis_width_ratio(&stretch);
  return ratio <= largest_ratio && mean / ratio < 8 * DBL_EPSILON * fmax(fabs(from), fabs(segment->to));
}

static bool checks_stretches(const InkDeck *deck, char name, const InkAxisSpec *axis, InkErrors *errors) {
  InkAxisSegment whole = {axis->to, axis->cells, axis->grading};
  const InkAxisSegment *segment = axis->segments > 0 ? axis->segment : &whole;
  int count = axis->segments > 0 ? axis->segments : 1;
  double from = axis->from;
  bool good = true;
  for (int s = 0; s < count; s++) {
    char at[32] = "", path[64];
    if (axis->segments > 0) snprintf(at, sizeof at, ".segments[%d]", s);
    snprintf(path, sizeof path, "mesh.%c%s.to", name, at);
    if (!(segment[s].to > from)) {
      ink_deck_error(deck, errors, path, "must be greater than %.9g, got %.9g", from, segment[s].to);
      good = false;
    } else if (too_narrow(from, &segment[s])) {
      ink_deck_error(deck, errors, path, "the cells are too narrow to tell their faces apart");
      good = false;
    }
    snprintf(path, sizeof path, "mesh.%c%s.cells", name, at);
    if ((double)segment[s].cells > most_cells) {
      ink_deck_error(deck, errors, path, "is more than %g", most_cells);
      good = false;
    }
    /* Out of the range of the key table: reported by the reader, and the rest makes no sense. */
    if (segment[s].cells < 1 || !(segment[s].grading > 0)) return false;
    from = segment[s].to;
  }
  return good;
}

static bool checks_axis(const InkDeck *deck, InkCoordinates coordinates, char name, const InkAxisSpec *axis,
                        InkErrors *errors) {
  char path[32];
  if (!checks_stretches(deck, name, axis, errors)) return false;
  snprintf(path, sizeof path, "mesh.%c.from", name);
  if (coordinates != INK_CARTESIAN && name == 'r' && axis->from < 0) {
    ink_deck_error(deck, errors, path, "a radius must not be negative, got %.9g", axis->from);
    return false;
  }
  double ratio = ink_axis_width_ratio(axis);
  snprintf(path, sizeof path, "mesh.%c%s", name, axis->segments > 0 ? ".segments" : ".grading");
  if (!(ratio <= largest_ratio)) {
    ink_deck_error(
        deck, errors, path,
        "the widest cell is %.3g times the narrowest; at most %g is allowed: take a grading nearer "
        "to 1 or fewer cells",
        ratio, largest_ratio);
    return false;
  }
  return true;
}

static void check_periodic(const InkDeck *deck, char name, InkErrors *errors) {
  for (int end = 0; end < 2; end++) {
    char side[8], other[8], path[32];
    snprintf(side, sizeof side, "%c_%s", name, end == 0 ? "min" : "max");
    snprintf(other, sizeof other, "%c_%s", name, end == 0 ? "max" : "min");
    if (!ink_deck_side_is_periodic(deck, side)) continue;
    snprintf(path, sizeof path, "boundary.%s.type", side);
    if (name == 'r')
      ink_deck_error(deck, errors, path, "a radius cannot be periodic");
    else if (!ink_deck_side_is_periodic(deck, other))
      ink_deck_error(deck, errors, path, "periodic must stand on both ends: make boundary.%s periodic too",
                     other);
  }
}

static void check_size(const InkDeck *deck, const InkMeshSpec *spec, int ranks, InkErrors *errors) {
  int64_t cells[3] = {1, 1, 1};
  double total = 1;
  for (int a = 0; a < spec->dim; a++) {
    const InkAxisSpec *axis = &spec->axis[a];
    cells[a] = axis->segments > 0 ? 0 : axis->cells;
    for (int s = 0; s < axis->segments; s++) cells[a] += axis->segment[s].cells;
    total *= (double)cells[a];
  }
  int grid[3];
  if (total > most_cells)
    ink_deck_error(deck, errors, "mesh", "%.3g cells; at most %g", total, most_cells);
  else if (!ink_decompose(ranks, spec->dim, cells, grid)) {
    char message[256];
    ink_mesh_too_small(ranks, spec->dim, cells, message, sizeof message);
    ink_deck_error(deck, errors, "mesh", "%s", message);
  }
}

void ink_mesh_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  if (!ink_deck_node(deck, "mesh") || !ink_deck_sound(deck, "mesh")) return; /* reported by the reader */
  InkCoordinates coordinates = ink_deck_coordinates(deck);
  const char *letters = ink_mesh_letters(coordinates);
  bool good = checks_names(deck, errors);
  if (!checks_letters(deck, coordinates, errors)) good = false;
  for (int a = 0; letters[a]; a++) {
    if (!ink_deck_has(deck, "mesh.%c", letters[a])) continue;
    check_periodic(deck, letters[a], errors);
    if (!checks_keys(deck, letters[a], errors)) good = false;
  }
  InkMeshSpec spec;
  if (!good || ink_mesh_spec_read(deck, &spec)) return;
  for (int a = 0; a < spec.dim; a++)
    if (!checks_axis(deck, coordinates, letters[a], &spec.axis[a], errors)) good = false;
  if (good) check_size(deck, &spec, ranks, errors);
  ink_mesh_spec_clear(&spec);
}
