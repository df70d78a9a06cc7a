/* The domain of a deck, its section mesh or the state variables of its model: where each axis stands, reading
 * it, the mesh made from it, and the grid the writers see. */
#include "mesh_impl.h"
#include <string.h>

static bool has_state(const InkDeck *deck) { return ink_deck_state(deck, NULL) >= 0; }

bool ink_deck_has_domain(const InkDeck *deck) {
  const InkDomainAxis *axes;
  return ink_deck_state(deck, &axes) <= 0 || ink_deck_node(deck, "%s.from", axes[0].section);
}

const char *ink_deck_domain(const InkDeck *deck) { return has_state(deck) ? "model.state" : "mesh"; }
const char *ink_deck_boundary(const InkDeck *deck) { return has_state(deck) ? "model.boundary" : "boundary"; }

bool ink_deck_side_is_periodic(const InkDeck *deck, const char *side) {
  char path[128];
  snprintf(path, sizeof path, "%s.%s%s", ink_deck_boundary(deck), side, has_state(deck) ? "" : ".type");
  return ink_deck_chosen(deck, path, "periodic");
}

static PetscErrorCode read_segments(const InkDeck *deck, const char *section, InkAxisSpec *axis,
                                    InkAxisSegment **segment) {
  PetscFunctionBeginUser;
  *segment = NULL;
  axis->segments = ink_deck_count(deck, "%s.segments", section);
  if (axis->segments == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)axis->segments, segment));
  for (int s = 0; s < axis->segments; s++) {
    (*segment)[s].to = ink_deck_number(deck, "%s.segments[%d].to", section, s);
    (*segment)[s].cells = ink_deck_integer(deck, "%s.segments[%d].cells", section, s);
    const InkNode *grading = ink_deck_node(deck, "%s.segments[%d].grading", section, s);
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

/* The axes of the section mesh, so that those of each kind of coordinates follow one another. */
#define MESH_AXIS(letter)                                                                                    \
  { .name = letter, .section = "mesh." letter, .side = {letter "_min", letter "_max"}, .unit = "m" }
static const InkDomainAxis mesh_axes[] = {MESH_AXIS("x"), MESH_AXIS("y"), MESH_AXIS("z"), MESH_AXIS("r"),
                                          MESH_AXIS("z")};
#undef MESH_AXIS

const InkDomainAxis *ink_mesh_axis(char letter) {
  int a = 0;
  while (mesh_axes[a].name[0] != letter) a++;
  return &mesh_axes[a];
}

int ink_deck_axes(const InkDeck *deck, const InkDomainAxis **axes) {
  int dim = ink_deck_state(deck, axes);
  if (dim >= 0) return dim;
  const char *letters = ink_mesh_letters(ink_deck_coordinates(deck));
  const int most = (int)strlen(letters);
  *axes = ink_mesh_axis(letters[0]);
  for (dim = 0; dim < most && ink_deck_has(deck, "%s", (*axes)[dim].section);) dim++;
  return dim;
}

int ink_deck_dimension(const InkDeck *deck) {
  const InkDomainAxis *axes;
  return ink_deck_axes(deck, &axes);
}

int ink_deck_axis(const InkDeck *deck, const char *name) {
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(deck, &axes);
  for (int a = 0; a < dim; a++)
    if (strcmp(axes[a].name, name) == 0) return a;
  return -1;
}

void ink_deck_sides(const InkDeck *deck, const char *names[]) {
  const InkDomainAxis *axes;
  const int dim = ink_deck_axes(deck, &axes);
  for (int side = 0; side < INK_SIDES; side++)
    names[side] = side / 2 < dim ? axes[side / 2].side[side % 2] : "";
  const InkNode *from = ink_deck_node(deck, "mesh.r.from");
  if (ink_deck_coordinates(deck) != INK_CARTESIAN && from && from->number == 0.0)
    names[0] = ""; /* the axis r = 0 is no side */
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
  const InkDomainAxis *axes;
  spec->dim = ink_deck_axes(deck, &axes);
  for (int a = 0; a < spec->dim; a++) {
    const char *section = axes[a].section;
    InkAxisSpec *axis = &spec->axis[a];
    *axis = (InkAxisSpec){.name = axes[a].name, .unit = axes[a].unit};
    axis->from = ink_deck_number(deck, "%s.from", section);
    PetscCall(read_segments(deck, section, axis, &spec->segment[a]));
    if (axis->segments == 0) {
      axis->to = ink_deck_number(deck, "%s.to", section);
      axis->cells = ink_deck_integer(deck, "%s.cells", section);
      const InkNode *grading = ink_deck_node(deck, "%s.grading", section);
      axis->grading = grading ? grading->number : 1;
    }
    axis->periodic =
        ink_deck_side_is_periodic(deck, axes[a].side[0]) && ink_deck_side_is_periodic(deck, axes[a].side[1]);
  }
  PetscFunctionReturn(0);
}

void ink_mesh_spec_clear(InkMeshSpec *spec) {
  for (int a = 0; a < 3; a++) (void)PetscFree(spec->segment[a]);
}

PetscErrorCode ink_mesh_create(MPI_Comm comm, const InkDeck *deck, InkMesh **mesh, InkFailure *failure) {
  PetscFunctionBeginUser;
  PetscCall(ink_mesh_create_wide(comm, deck, 1, mesh, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_mesh_create_wide(MPI_Comm comm, const InkDeck *deck, int width, InkMesh **mesh,
                                    InkFailure *failure) {
  PetscFunctionBeginUser;
  InkMeshSpec spec;
  PetscCall(ink_mesh_spec_read(deck, &spec));
  PetscCall(ink_mesh_build_wide(comm, spec.axis, spec.dim, spec.coordinates, width, mesh, failure));
  ink_mesh_spec_clear(&spec);
  PetscFunctionReturn(0);
}

static bool has_unit(const InkNode *node) { return node && node->dim.known; }

/* Metres when an end of the axis or of one of its segments was given with a unit. */
static const char *length_unit(const InkDeck *deck, const InkAxis *axis) {
  bool given = has_unit(ink_deck_node(deck, "mesh.%s.from", axis->name)) ||
               has_unit(ink_deck_node(deck, "mesh.%s.to", axis->name));
  int segments = ink_deck_count(deck, "mesh.%s.segments", axis->name);
  for (int s = 0; s < segments; s++)
    given = given || has_unit(ink_deck_node(deck, "mesh.%s.segments[%d].to", axis->name, s));
  return given ? "m" : "1";
}

void ink_mesh_grid(const InkMesh *mesh, const InkDeck *deck, InkGrid *grid) {
  *grid = (InkGrid){.dim = mesh->dim, .coordinates = coordinate_names[mesh->coordinates]};
  for (int a = 0; a < mesh->dim; a++) {
    const InkAxis *axis = &mesh->axis[a];
    struct InkGridAxis *seen = &grid->axis[mesh->dim - 1 - a];
    seen->name = axis->name;
    seen->unit = has_state(deck) ? axis->unit : length_unit(deck, axis);
    seen->cells = axis->cells;
    seen->centroid = axis->centroid;
    seen->face = axis->face;
    seen->uniform = axis->uniform;
  }
  ink_mesh_box(mesh, &grid->box);
}
