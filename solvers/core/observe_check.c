/* What can be wrong with the probes of a deck that the key table cannot say. Rank 0, no MPI. */
#include "mesh_impl.h"
#include "observe.h"
#include <string.h>

static void check_field(const InkDeck *deck, const char *probe, InkErrors *errors) {
  const char *const *names;
  const InkDim *dims;
  int count = ink_deck_fields(deck, &names, &dims);
  bool given = ink_deck_node(deck, "probes.%s.field", probe) != NULL;
  if (!given && count == 1) return; /* the one field is meant */
  const char *field = given ? ink_deck_text(deck, "probes.%s.field", probe) : NULL;
  char path[256], known[512];
  for (int f = 0; f < count; f++)
    if (field && strcmp(field, names[f]) == 0) return;
  ink_names_join(names, count, known, sizeof known);
  snprintf(path, sizeof path, "probes.%s%s", probe, given ? ".field" : "");
  if (given)
    ink_deck_error(deck, errors, path, "no field '%s'; the fields are: %s", field, known);
  else
    ink_deck_error(deck, errors, path, "field is missing: it is one of %s", known);
}

/* The end of an axis as the deck gives it. */
static double axis_end(const InkAxisSpec *axis) {
  return axis->segments > 0 ? axis->segment[axis->segments - 1].to : axis->to;
}

static void check_place(const InkDeck *deck, const char *probe, const InkMeshSpec *mesh, InkErrors *errors) {
  const double *at;
  char path[256];
  if (!ink_deck_node(deck, "probes.%s.at", probe)) return; /* a required key: reported by the reader */
  int count = ink_deck_numbers(deck, &at, "probes.%s.at", probe);
  snprintf(path, sizeof path, "probes.%s.at", probe);
  if (count != mesh->dim) {
    ink_deck_error(deck, errors, path, "needs %d coordinate%s, one for each %s; got %d", mesh->dim,
                   mesh->dim == 1 ? "" : "s",
                   ink_deck_state(deck, NULL) < 0 ? "axis of the mesh" : "state variable", count);
    return;
  }
  for (int a = 0; a < mesh->dim; a++) {
    double from = mesh->axis[a].from, to = axis_end(&mesh->axis[a]);
    if (ink_probe_inside(1, &from, &to, &at[a])) continue;
    ink_deck_error(deck, errors, path, "is outside the domain: %s = %.9g is not between %.9g and %.9g",
                   mesh->axis[a].name, at[a], from, to);
  }
}

/* Are the axes' required keys there? What is missing was reported by the reader. */
static bool mesh_is_complete(const InkDeck *deck) {
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(deck, &axes);
  for (int a = 0; a < dim; a++) {
    const char *section = axes[a].section;
    if (!ink_deck_node(deck, "%s.from", section)) return false;
    for (int s = 0; s < ink_deck_count(deck, "%s.segments", section); s++)
      if (!ink_deck_node(deck, "%s.segments[%d].to", section, s) ||
          !ink_deck_node(deck, "%s.segments[%d].cells", section, s))
        return false;
  }
  return true;
}

void ink_probes_check(const InkDeck *deck, InkErrors *errors) {
  if (!ink_deck_sound(deck, "%s", ink_deck_domain(deck))) return;
  InkErrors *of_mesh = ink_errors_create();
  ink_mesh_check(deck, 1, of_mesh);
  InkMeshSpec mesh = {.dim = 0};
  bool good = ink_errors_count(of_mesh) == 0 && mesh_is_complete(deck) && !ink_mesh_spec_read(deck, &mesh);
  ink_errors_destroy(&of_mesh);
  int count = ink_deck_count(deck, "probes");
  for (int i = 0; i < count; i++) {
    const char *probe = ink_deck_name(deck, "probes", i);
    if (!ink_deck_sound(deck, "probes.%s", probe)) continue; /* reported by the reader */
    check_field(deck, probe, errors);
    if (good) check_place(deck, probe, &mesh, errors);
  }
  ink_mesh_spec_clear(&mesh);
}
