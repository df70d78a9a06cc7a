/* The mesh section of a deck: reading it, the mesh made from it, and the grid the writers see. */
#include "mesh_impl.h"
#include <string.h>

bool ink_deck_side_is_periodic(const InkDeck *deck, const char *side) {
  char path[128];
  snprintf(path, sizeof path, "boundary.%s.type", side);
  return ink_deck_chosen(deck, path, "periodic");
}

static bool is_periodic(const InkDeck *deck, char axis) {
  const char low[] = {axis, '_', 'm', 'i', 'n', '\0'}, high[] = {axis, '_', 'm', 'a', 'x', '\0'};
  return ink_deck_side_is_periodic(deck, low) && ink_deck_side_is_periodic(deck, high);
}

static PetscErrorCode read_segments(const InkDeck *deck, char name, InkAxisSpec *axis,
                                    InkAxisSegment **segment) {
  PetscFunctionBeginUser;
  *segment = NULL;
  axis->segments = ink_deck_count(deck, "mesh.%c.segments", name);
  if (axis->segments == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)axis->segments, segment));
  for (int s = 0; s < axis->segments; s++) {
    (*segment)[s].to = ink_deck_number(deck, "mesh.%c.segments[%d].to", name, s);
    (*segment)[s].cells = ink_deck_integer(deck, "mesh.%c.segments[%d].cells", name, s);
    const InkNode *grading = ink_deck_node(deck, "mesh.%c.segments[%d].grading", name, s);
    (*segment)[s].grading = grading ? grading->number : 1;
  }
  axis->segment = *segment;
  PetscFunctionReturn(0);
}

static const char *const coordinate_names[] = {"cartesian", "cylindrical", "spherical", "axisymmetric"};

InkCoordinates ink_deck_coordinates(const InkDeck *deck) {
  for (int c = INK_CYLINDRICAL; c <= INK_AXISYMMETRIC; c++)
    if (ink_deck_chosen(deck, "mesh.coordinates", coordinate_names[c])) return (InkCoordinates)c;
  return INK_CARTESIAN;
}

const char *ink_mesh_letters(InkCoordinates coordinates) {
  if (coordinates == INK_AXISYMMETRIC) return "rz";
  return coordinates == INK_CARTESIAN ? "xyz" : "r";
}

int ink_deck_dimension(const InkDeck *deck) {
  int dim = 0;
  const char *letters = ink_mesh_letters(ink_deck_coordinates(deck));
  while (letters[dim] && ink_deck_has(deck, "mesh.%c", letters[dim])) dim++;
  return dim;
}

int ink_deck_axis(const InkDeck *deck, char letter) {
  const char *letters = ink_mesh_letters(ink_deck_coordinates(deck));
  const char *at = letter ? strchr(letters, letter) : NULL;
  return at && at - letters < ink_deck_dimension(deck) ? (int)(at - letters) : -1;
}

void ink_deck_sides(const InkDeck *deck, const char *names[]) {
  static const char *const cartesian[INK_SIDES] = {"x_min", "x_max", "y_min", "y_max", "z_min", "z_max"};
  static const char *const radial[INK_SIDES] = {"r_min", "r_max", "z_min", "z_max", "", ""};
  const bool round = ink_deck_coordinates(deck) != INK_CARTESIAN;
  const int dim = ink_deck_dimension(deck);
  const InkNode *from = ink_deck_node(deck, "mesh.r.from");
  for (int side = 0; side < INK_SIDES; side++)
    names[side] = side / 2 < dim ? (round ? radial : cartesian)[side] : "";
  if (round && from && from->number == 0.0) names[0] = ""; /* the axis r = 0 is no side */
}

int ink_deck_side_metres(const InkDeck *deck) {
  static const int metres[] = {0, 1, 2, 2};
  const InkCoordinates coordinates = ink_deck_coordinates(deck);
  return coordinates == INK_CARTESIAN ? ink_deck_dimension(deck) - 1 : metres[coordinates];
}

int ink_deck_volume_metres(const InkDeck *deck) { return ink_deck_side_metres(deck) + 1; }

PetscErrorCode ink_mesh_spec_read(const InkDeck *deck, InkMeshSpec *spec) {
  PetscFunctionBeginUser;
  *spec = (InkMeshSpec){.coordinates = ink_deck_coordinates(deck)};
  const char *letters = ink_mesh_letters(spec->coordinates);
  for (int a = 0; letters[a] && ink_deck_has(deck, "mesh.%c", letters[a]); a++) {
    InkAxisSpec *axis = &spec->axis[spec->dim++];
    char name = letters[a];
    axis->from = ink_deck_number(deck, "mesh.%c.from", name);
    PetscCall(read_segments(deck, name, axis, &spec->segment[a]));
    if (axis->segments == 0) {
      axis->to = ink_deck_number(deck, "mesh.%c.to", name);
      axis->cells = ink_deck_integer(deck, "mesh.%c.cells", name);
      const InkNode *grading = ink_deck_node(deck, "mesh.%c.grading", name);
      axis->grading = grading ? grading->number : 1;
    }
    axis->periodic = is_periodic(deck, name);
  }
  PetscFunctionReturn(0);
}

void ink_mesh_spec_clear(InkMeshSpec *spec) {
  for (int a = 0; a < 3; a++) (void)PetscFree(spec->segment[a]);
}

PetscErrorCode ink_mesh_create(MPI_Comm comm, const InkDeck *deck, InkMesh **mesh, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkMeshSpec spec;
  PetscCall(ink_mesh_spec_read(deck, &spec));
  PetscCall(ink_mesh_build(comm, spec.axis, spec.dim, spec.coordinates, mesh, failure));
  ink_mesh_spec_clear(&spec);
  PetscFunctionReturn(0);
}

static bool has_unit(const InkNode *node) { return node && node->dim.known; }

/* Metres when an end of the axis or of one of its segments was given with a unit. */
static const char *length_unit(const InkDeck *deck, const InkAxis *axis) {
  bool given = has_unit(ink_deck_node(deck, "mesh.%c.from", axis->name)) ||
               has_unit(ink_deck_node(deck, "mesh.%c.to", axis->name));
  int segments = ink_deck_count(deck, "mesh.%c.segments", axis->name);
  for (int s = 0; s < segments; s++)
    given = given || has_unit(ink_deck_node(deck, "mesh.%c.segments[%d].to", axis->name, s));
  return given ? "m" : "1";
}

void ink_mesh_grid(const InkMesh *mesh, const InkDeck *deck, InkGrid *grid) {
  static const char *const letters[2][3] = {{"x", "y", "z"}, {"r", "z", ""}};
  *grid = (InkGrid){.dim = mesh->dim, .coordinates = coordinate_names[mesh->coordinates]};
  for (int a = 0; a < mesh->dim; a++) {
    const InkAxis *axis = &mesh->axis[a];
    struct InkGridAxis *seen = &grid->axis[mesh->dim - 1 - a];
    seen->name = letters[mesh->coordinates != INK_CARTESIAN][a];
    seen->unit = length_unit(deck, axis);
    seen->cells = axis->cells;
    seen->centroid = axis->centroid;
    seen->face = axis->face;
    seen->uniform = axis->uniform;
  }
  ink_mesh_box(mesh, &grid->box);
}
