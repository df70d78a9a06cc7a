/* What a side is, from its expressions: which fields are solved how, which q depend on which u, and whether
 * the closure is affine, moving and so on.
 *
 * us_s depends on the us of the fields in its law and its half cell, these on others in turn; the transitive
 * closure of that relation says on which u a flux can depend. */
#include "boundary_impl.h"

static uint64_t field_mask(void) { return ((1ull << INK_MAX_FIELDS) - 1) << INK_VAR_FIELD; }
static uint64_t time_bit(void) { return 1ull << INK_VAR_T; }
static uint64_t bit(int field) { return 1ull << field; }

uint64_t ink_side_variables(const InkExpr *e) { return e ? ink_expr_variables(e) : 0; }

uint64_t ink_side_fields(const InkExpr *e) { return (ink_side_variables(e) & field_mask()) >> INK_VAR_FIELD; }

bool ink_side_absent(const InkExpr *e) { return !e || (e->op == INK_OP_NUMBER && e->value == 0.0); }

const InkExpr *ink_side_law(InkPool *pool, const InkSideData *data, int field) {
  const InkExpr *us = ink_expr_variable(pool, INK_VAR_FIELD + field);
  switch (data->type) {
  case INK_SIDE_CLOSED:
    return NULL;
  case INK_SIDE_VALUE:
  case INK_SIDE_FLUX:
    return data->value;
  case INK_SIDE_CONVECTION:
    return ink_expr_binary(pool, INK_OP_MUL, data->coefficient,
                           ink_expr_binary(pool, INK_OP_SUB, data->ambient, us));
  case INK_SIDE_RADIATION:
    break;
  }
  const InkExpr *four = ink_expr_number(pool, 4.0);
  const InkExpr *factor =
      ink_expr_binary(pool, INK_OP_MUL, data->emissivity, ink_expr_number(pool, INK_STEFAN_BOLTZMANN));
  const InkExpr *difference =
      ink_expr_binary(pool, INK_OP_SUB, ink_expr_binary(pool, INK_OP_POW, data->ambient, four),
                      ink_expr_binary(pool, INK_OP_POW, us, four));
  return ink_expr_binary(pool, INK_OP_MUL, factor, difference);
}

/* ---- forms ---- */

static const InkExpr *conductivity(const InkClosureSpec *spec, int row, int column) {
  return spec->conductivity[row * spec->n + column];
}

static bool mobile(const InkClosureSpec *spec, int field) { return conductivity(spec, field, field) != NULL; }

static bool carried(const InkClosureSpec *spec, int field) {
  return mobile(spec, field) && !ink_side_absent(spec->velocity);
}

/* Are all parts of one of the types in `types` (bit t for InkSideType t)? */
static bool all_of(const InkSideParts *parts, unsigned types) {
  for (int p = 0; p < parts->count; p++)
    if (!(types & 1u << parts->data[p].type)) return false;
  return true;
}

/* Does some part hold at every face for certain? */
static bool covers(const InkSideParts *parts) {
  for (int p = 0; p < parts->count; p++) {
    const InkExpr *where = parts->where ? parts->where[p] : NULL;
    if (!where || (where->op == INK_OP_NUMBER && where->value != 0.0)) return true;
  }
  return false;
}

/* The fields that nothing crosses and whose us is u: a closed field is one unless it is carried or driven by
 * the gradient of a field that is not. */
static uint64_t still_fields(const InkClosureSpec *spec) {
  uint64_t still = 0;
  for (int s = 0; s < spec->n; s++)
    if (all_of(&spec->parts[s], 1u << INK_SIDE_CLOSED) && !carried(spec, s)) still |= bit(s);
  for (bool changed = true; changed;) {
    changed = false;
    for (int s = 0; s < spec->n; s++)
      for (int f = 0; f < spec->n; f++)
        if ((still & bit(s)) && !(still & bit(f)) && mobile(spec, s) && mobile(spec, f) &&
            !ink_side_absent(conductivity(spec, s, f))) {
          still &= ~bit(s);
          changed = true;
        }
  }
  return still;
}

/* Can q and us be written down from the own u alone? */
static bool is_linear(const InkClosureSpec *spec, const InkSideUse *use, int s) {
  const InkSideParts *parts = &spec->parts[s];
  const uint64_t k_uses = ink_side_fields(conductivity(spec, s, s));
  bool own = true; /* no law uses a field, but for the linear term of convection */
  for (int p = 0; p < parts->count; p++) {
    const InkSideData *data = &parts->data[p];
    own = own && !(ink_side_fields(data->value) | ink_side_fields(data->coefficient) |
                   ink_side_fields(data->ambient));
  }
  if (!own || use->cross[s] || !all_of(parts, ~(1u << INK_SIDE_RADIATION))) return false;
  if (!mobile(spec, s) || !k_uses) return true;
  return !carried(spec, s) && !(k_uses & ~bit(s)) &&
         all_of(parts, 1u << INK_SIDE_CLOSED | 1u << INK_SIDE_VALUE);
}

void ink_side_use(const InkClosureSpec *spec, InkPool *pool, InkSideUse *use) {
  const uint64_t still = still_fields(spec);
  for (int s = 0; s < spec->n; s++) {
    const InkSideParts *parts = &spec->parts[s];
    use->law[s] = use->cross[s] = 0;
    for (int p = 0; p < parts->count; p++)
      use->law[s] |= ink_side_fields(ink_side_law(pool, &parts->data[p], s));
    for (int f = 0; f < spec->n && mobile(spec, s); f++)
      if (f != s && mobile(spec, f) && !(still & bit(f)) && !ink_side_absent(conductivity(spec, s, f)))
        use->cross[s] |= bit(f);
    use->form[s] = (still & bit(s))          ? INK_FORM_STILL
                   : is_linear(spec, use, s) ? INK_FORM_LINEAR
                                             : INK_FORM_COUPLED;
  }
}

/* ---- dependences ---- */

/* Per field, as masks of fields. */
typedef struct Dependences {
  uint64_t half[INK_MAX_FIELDS];    /* whose us and u the flux through the half cell uses */
  uint64_t surface[INK_MAX_FIELDS]; /* whose us the own us follows from, directly or not, and itself */
  uint64_t cell[INK_MAX_FIELDS];    /* whose u the own us depends on */
  uint64_t flux[INK_MAX_FIELDS];    /* whose u the flux q depends on */
} Dependences;

static uint64_t united(const uint64_t of[], uint64_t fields, int n) {
  uint64_t all = 0;
  for (int f = 0; f < n; f++)
    if (fields & bit(f)) all |= of[f];
  return all;
}

static void find_half(const InkClosureSpec *spec, const InkSideUse *use, Dependences *d) {
  for (int s = 0; s < spec->n; s++) {
    d->half[s] = mobile(spec, s) ? bit(s) | use->cross[s] | ink_side_fields(conductivity(spec, s, s)) : 0;
    for (int f = 0; f < spec->n; f++)
      if (use->cross[s] & bit(f)) d->half[s] |= ink_side_fields(conductivity(spec, s, f));
  }
}

static void find_surface(const InkClosureSpec *spec, const InkSideUse *use, Dependences *d) {
  const int n = spec->n;
  uint64_t direct[INK_MAX_FIELDS];
  for (int s = 0; s < n; s++) {
    const bool value =
        all_of(&spec->parts[s], 1u << INK_SIDE_VALUE) && covers(&spec->parts[s]) && mobile(spec, s);
    const bool coupled = use->form[s] == INK_FORM_COUPLED && mobile(spec, s);
    const uint64_t half = coupled && !value ? d->half[s] : 0;
    direct[s] = d->surface[s] = bit(s) | half | (coupled ? use->law[s] : 0);
    d->cell[s] = value ? 0 : bit(s) | half;
  }
  for (int pass = 0; pass < n; pass++)
    for (int s = 0; s < n; s++) {
      d->surface[s] |= united(d->surface, d->surface[s], n);
      d->cell[s] |= united(d->cell, direct[s], n);
    }
}

static void find_flux(const InkClosureSpec *spec, const InkSideUse *use, Dependences *d) {
  for (int s = 0; s < spec->n; s++) {
    d->flux[s] = 0;
    if (!all_of(&spec->parts[s], 1u << INK_SIDE_CLOSED | 1u << INK_SIDE_VALUE))
      d->flux[s] |= united(d->cell, use->law[s], spec->n);
    for (int p = 0; p < spec->parts[s].count; p++)
      if (spec->parts[s].data[p].type == INK_SIDE_VALUE)
        d->flux[s] |= d->half[s] | united(d->cell, d->half[s], spec->n);
  }
}

/* ---- what kind of function ---- */

/* Variables of all expressions of a field on the side, and those that its slopes depend on. */
typedef struct Variables {
  uint64_t all, slope;
} Variables;

static Variables variables_of(const InkClosureSpec *spec, const InkSideUse *use, InkPool *pool, int s) {
  const InkSideParts *parts = &spec->parts[s];
  uint64_t shared = carried(spec, s) ? ink_side_variables(spec->velocity) : 0, laws = 0, slopes = 0;
  for (int f = 0; f < spec->n; f++)
    if (mobile(spec, s) && (f == s || (use->cross[s] & bit(f))))
      shared |= ink_side_variables(conductivity(spec, s, f));
  for (int p = 0; p < parts->count; p++) {
    const InkExpr *law = ink_side_law(pool, &parts->data[p], s);
    if (parts->where) shared |= ink_side_variables(parts->where[p]);
    laws |= ink_side_variables(law);
    const uint64_t uses = ink_side_fields(law);
    /* The derivative of if, min and the like does not say that the slope jumps. */
    if (uses && ink_expr_has_branches(law)) slopes |= field_mask();
    for (int f = 0; f < spec->n; f++)
      if (uses & bit(f)) slopes |= ink_side_variables(ink_expr_derivative(pool, law, INK_VAR_FIELD + f));
  }
  return (Variables){.all = shared | laws, .slope = shared | slopes};
}

static InkSideLaw law_of(const InkClosureSpec *spec, const InkSideUse *use, const Dependences *d, int s) {
  if (!d->flux[s]) return INK_LAW_FLUX;
  const bool value = all_of(&spec->parts[s], 1u << INK_SIDE_VALUE) && covers(&spec->parts[s]);
  const bool plain =
      !use->law[s] && !use->cross[s] && !carried(spec, s) && !ink_side_fields(conductivity(spec, s, s));
  return value && plain ? INK_LAW_VALUE : INK_LAW_OTHER;
}

/* For one field: dq/du <= 0 on every part. A convection coefficient and an emissivity are not negative. */
static bool is_dissipative(const InkClosureSpec *spec) {
  const InkSideParts *parts = &spec->parts[0];
  const bool k_state = ink_side_fields(conductivity(spec, 0, 0)) != 0;
  for (int p = 0; p < parts->count; p++) {
    const InkSideData *data = &parts->data[p];
    const bool law_state = ink_side_fields(data->value) | ink_side_fields(data->coefficient) |
                           ink_side_fields(data->ambient) | ink_side_fields(data->emissivity);
    const bool fixed = data->type == INK_SIDE_CLOSED || (data->type == INK_SIDE_FLUX && !law_state);
    if (!fixed && (k_state || law_state || data->type == INK_SIDE_FLUX)) return false;
  }
  return true;
}

void ink_side_classify(InkClosure *closure, const InkClosureSpec *spec, const InkSideUse *use,
                       InkPool *pool) {
  const int n = spec->n;
  Dependences d;
  Variables own[INK_MAX_FIELDS];
  bool *coupled = ink_pool_alloc(closure->parts->memory, (size_t)(n * n) * sizeof *coupled);
  InkSideLaw *law = ink_pool_alloc(closure->parts->memory, (size_t)n * sizeof *law);
  find_half(spec, use, &d);
  find_surface(spec, use, &d);
  find_flux(spec, use, &d);
  for (int s = 0; s < n; s++) own[s] = variables_of(spec, use, pool, s);
  closure->affine = closure->constant_slope = true;
  for (int s = 0; s < n; s++) {
    for (int f = 0; f < n; f++) coupled[s * n + f] = d.flux[s] & bit(f);
    law[s] = law_of(spec, use, &d, s);
    uint64_t all = 0, slope = 0;
    for (int f = 0; f < n; f++)
      if (d.surface[s] & bit(f)) {
        all |= own[f].all;
        slope |= own[f].slope;
      }
    if (!all_of(&spec->parts[s], 1u << INK_SIDE_CLOSED) && (all & time_bit())) closure->moving = true;
    if (law[s] == INK_LAW_FLUX) continue;
    closure->fixes_level = true;
    closure->affine = closure->affine && !(slope & field_mask());
    closure->constant_slope = closure->constant_slope && !(slope & (field_mask() | time_bit()));
  }
  closure->dissipative = n == 1 && is_dissipative(spec);
  closure->coupled = coupled;
  closure->law = law;
}
