/* The mesh section of a deck: reading it, the mesh made from it, and the grid the writers see. */
#include "mesh_impl.h"
#include <string.h>

static bool side_periodic(const InkDeck *deck, char axis, const char *end) {
  const InkNode *type = ink_deck_node(deck, "boundary.%c_%s.type", axis, end);
  return type && type->text && strcmp(type->text, "periodic") == 0;
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

InkCoordinates ink_mesh_coordinates(const InkDeck *deck) {
  const InkNode *node = ink_deck_node(deck, "mesh.coordinates");
  if (node && node->text && strcmp(node->text, "cylindrical") == 0) return INK_CYLINDRICAL;
  if (node && node->text && strcmp(node->text, "spherical") == 0) return INK_SPHERICAL;
  return INK_CARTESIAN;
}

const char *ink_mesh_letters(InkCoordinates coordinates) {
  return coordinates == INK_CARTESIAN ? "xyz" : "r";
}

PetscErrorCode ink_mesh_spec_read(const InkDeck *deck, InkMeshSpec *spec) {
  PetscFunctionBeginUser;
  *spec = (InkMeshSpec){.coordinates = ink_mesh_coordinates(deck)};
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
    axis->periodic = side_periodic(deck, name, "min") && side_periodic(deck, name, "max");
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
  static const char *const names[] = {"cartesian", "cylindrical", "spherical"};
  static const char *const letters[2][3] = {{"x", "y", "z"}, {"r", "y", "z"}};
  *grid = (InkGrid){.dim = mesh->dim, .coordinates = names[mesh->coordinates]};
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
