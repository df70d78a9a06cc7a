/* What can be wrong with the domain of a deck, its section mesh or the state variables of its model, that the
 * key table cannot say. Rank 0, no MPI. */
#include "mesh_impl.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const double largest_ratio = 1e6; /* of the widths on an axis */
static const double most_cells = 1e13;
static const int fewest_cells = 3; /* of an axis; without segments the key table says so */

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

static bool checks_keys(const InkDeck *deck, const char *section, InkErrors *errors) {
  static const char *const stretch[] = {"to", "cells", "grading"};
  char path[160];
  bool good = ink_deck_node(deck, "%s.from", section) != NULL; /* a required key: reported by the reader */
  if (ink_deck_has(deck, "%s.segments", section)) {
    for (int i = 0; i < 3; i++) {
      const InkNode *node = ink_deck_node(deck, "%s.%s", section, stretch[i]);
      const bool default_grading = i == 2 && node && node->number == 1; /* stands in resolved decks */
      if (!node || default_grading) continue;
      snprintf(path, sizeof path, "%s.%s", section, stretch[i]);
      ink_deck_error(deck, errors, path, "stands in each of the segments when there are segments");
      good = false;
    }
    int count = ink_deck_count(deck, "%s.segments", section);
    for (int s = 0; s < count; s++)
      good = good && ink_deck_node(deck, "%s.segments[%d].to", section, s) &&
             ink_deck_node(deck, "%s.segments[%d].cells", section, s);
    if (count == 0) {
      ink_deck_error(deck, errors, section, "segments is empty: give at least one {to, cells}");
      good = false;
    }
    return good;
  }
  for (int i = 0; i < 2; i++) {
    if (ink_deck_has(deck, "%s.%s", section, stretch[i])) continue;
    ink_deck_error(deck, errors, section, "%s is missing: give from, to and cells, or from and segments",
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

static bool checks_stretches(const InkDeck *deck, const char *section, const InkAxisSpec *axis,
                             InkErrors *errors) {
  InkAxisSegment whole = {axis->to, axis->cells, axis->grading};
  const InkAxisSegment *segment = axis->segments > 0 ? axis->segment : &whole;
  int count = axis->segments > 0 ? axis->segments : 1;
  double from = axis->from;
  bool good = true;
  for (int s = 0; s < count; s++) {
    char at[32] = "", path[160];
    if (axis->segments > 0) snprintf(at, sizeof at, ".segments[%d]", s);
    snprintf(path, sizeof path, "%s%s.to", section, at);
    if (!(segment[s].to > from)) {
      ink_deck_error(deck, errors, path, "must be greater than %.9g, got %.9g", from, segment[s].to);
      good = false;
    } else if (too_narrow(from, &segment[s])) {
      ink_deck_error(deck, errors, path, "the cells are too narrow to tell their faces apart");
      good = false;
    }
    snprintf(path, sizeof path, "%s%s.cells", section, at);
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

static int64_t cells_of(const InkAxisSpec *axis) {
  int64_t cells = axis->segments > 0 ? 0 : axis->cells;
  for (int s = 0; s < axis->segments; s++) cells += axis->segment[s].cells;
  return cells;
}

static bool checks_axis(const InkDeck *deck, const char *section, const InkAxisSpec *axis,
                        InkErrors *errors) {
  char path[160];
  if (!checks_stretches(deck, section, axis, errors)) return false;
  snprintf(path, sizeof path, "%s.from", section);
  if (strcmp(section, "mesh.r") == 0 && axis->from < 0) {
    ink_deck_error(deck, errors, path, "a radius must not be negative, got %.9g", axis->from);
    return false;
  }
  double ratio = ink_axis_width_ratio(axis);
  snprintf(path, sizeof path, "%s%s", section, axis->segments > 0 ? ".segments" : ".grading");
  if (!(ratio <= largest_ratio)) {
    ink_deck_error(
        deck, errors, path,
        "the widest cell is %.3g times the narrowest; at most %g is allowed: take a grading nearer "
        "to 1 or fewer cells",
        ratio, largest_ratio);
    return false;
  }
  if (axis->segments > 0 && cells_of(axis) < fewest_cells) {
    ink_deck_error(deck, errors, path, "need at least %d cells together, got %d", fewest_cells,
                   (int)cells_of(axis));
    return false;
  }
  return true;
}

static void check_periodic(const InkDeck *deck, const InkDomainAxis *axis, InkErrors *errors) {
  const char *boundary = ink_deck_boundary(deck);
  for (int end = 0; end < 2; end++) {
    char path[160];
    if (!ink_deck_side_is_periodic(deck, axis->side[end])) continue;
    snprintf(path, sizeof path, "%s.%s%s", boundary, axis->side[end],
             strcmp(boundary, "boundary") == 0 ? ".type" : "");
    if (strcmp(axis->section, "mesh.r") == 0)
      ink_deck_error(deck, errors, path, "a radius cannot be periodic");
    else if (!ink_deck_side_is_periodic(deck, axis->side[1 - end]))
      ink_deck_error(deck, errors, path, "periodic must stand on both ends: make %s.%s periodic too",
                     boundary, axis->side[1 - end]);
  }
}

static void check_size(const InkDeck *deck, const InkMeshSpec *spec, int ranks, int width,
                       InkErrors *errors) {
  int64_t cells[3] = {1, 1, 1};
  double total = 1;
  for (int a = 0; a < spec->dim; a++) {
    cells[a] = cells_of(&spec->axis[a]);
    total *= (double)cells[a];
  }
  int grid[3];
  if (total > most_cells)
    ink_deck_error(deck, errors, ink_deck_domain(deck), "%.3g cells; at most %g", total, most_cells);
  else if (!ink_decompose(ranks, spec->dim, cells, width, grid)) {
    char message[256];
    ink_mesh_too_small(ranks, spec->dim, cells, width, message, sizeof message);
    ink_deck_error(deck, errors, ink_deck_domain(deck), "%s", message);
  }
}

/* The axes of the section mesh that are there; *good: those of its coordinates, and no others. */
static int mesh_axes(const InkDeck *deck, InkDomainAxis axes[3], bool *good, InkErrors *errors) {
  InkCoordinates coordinates = ink_deck_coordinates(deck);
  int count = 0;
  *good = checks_names(deck, errors);
  if (!checks_letters(deck, coordinates, errors)) *good = false;
  for (const char *c = ink_mesh_letters(coordinates); *c; c++) {
    const InkDomainAxis *known = ink_mesh_axis(*c);
    if (ink_deck_has(deck, "%s", known->section)) axes[count++] = *known;
  }
  return count;
}

/* State variables; that there are none is for the model's own check to say. */
static int state_axes(const InkDeck *deck, InkDomainAxis axes[3], bool *good, InkErrors *errors) {
  (void)errors;
  const InkDomainAxis *state;
  const int count = ink_deck_state(deck, &state);
  *good = count > 0;
  for (int a = 0; a < count; a++) axes[a] = state[a];
  return count;
}

void ink_mesh_check_wide(const InkDeck *deck, int ranks, int width, InkErrors *errors) {
  const char *domain = ink_deck_domain(deck);
  if (!ink_deck_node(deck, "%s", domain) || !ink_deck_sound(deck, "%s", domain))
    return; /* reported by the reader */
  InkDomainAxis axes[3];
  bool good;
  const int count = (ink_deck_state(deck, NULL) < 0 ? mesh_axes : state_axes)(deck, axes, &good, errors);
  for (int a = 0; a < count; a++) {
    check_periodic(deck, &axes[a], errors);
    if (!checks_keys(deck, axes[a].section, errors)) good = false;
  }
  InkMeshSpec spec;
  if (!good || ink_mesh_spec_read(deck, &spec)) return;
  for (int a = 0; a < spec.dim; a++)
    if (!checks_axis(deck, axes[a].section, &spec.axis[a], errors)) good = false;
  if (good) check_size(deck, &spec, ranks, width, errors);
  ink_mesh_spec_clear(&spec);
}

void ink_mesh_check(const InkDeck *deck, int ranks, InkErrors *errors) {
  ink_mesh_check_wide(deck, ranks, 1, errors);
}
