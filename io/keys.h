/* The one table of keys. It drives parsing, checking, `describe`, `--set`, the JSON schema and the record in
 * the output. */
#ifndef INK_IO_KEYS_H
#define INK_IO_KEYS_H

#include "tree.h"

typedef enum InkKind {
  INK_KIND_SECTION, /* a mapping of the keys below it */
  INK_KIND_LIST,    /* a sequence of mappings ("verify": items are "verify[]") */
  INK_KIND_TEXT,
  INK_KIND_CHOICE, /* one of `choices` */
  INK_KIND_BOOL,   /* exactly true or false */
  INK_KIND_INTEGER,
  INK_KIND_NUMBER,     /* number, quantity, or constant expression of the parameters */
  INK_KIND_DIFFERENCE, /* the same; degC means K */
  INK_KIND_TOLERANCE,  /* a percentage, or a difference */
  INK_KIND_EXPRESSION, /* number, quantity or expression; flags say of what */
  INK_KIND_NUMBERS,    /* a sequence of NUMBERs */
  INK_KIND_PATHS,      /* text, or a sequence of texts */
  INK_KIND_UNIT,       /* the text of a unit */
} InkKind;

enum {                         /* flags */
       INK_REQUIRED = 1,       /* must be given when its parent is */
       INK_OF_SPACE = 2,       /* expression may use the coordinates */
       INK_OF_TIME = 4,        /* ... t */
       INK_OF_FIELDS = 8,      /* ... the solver's fields */
       INK_OF_NOISE = 16,      /* ... noise(k) */
       INK_EXCLUSIVE_MIN = 32, /* must be greater than min, not equal */
       INK_MAY_CHANGE = 64,    /* a restart may change it (end time, output, checkpoint, walltime) */
};

typedef struct InkKey {
  const char *path; /* "mesh.*.cells"; '*': any name; '[]': any item. Rows of one path may differ in kind
                       (a section, a list, a value): the one that fits what the deck has there holds. */
  const char *when; /* NULL, or "type=flux" (several: "type=value|flux"): the row holds when the sibling key
                       has that value. A key none of whose rows holds is an error that says so. */
  InkKind kind;
  const char
      *unit; /* SI unit ("W/m^3", "1" dimensionless), "@NAME": asked of the schema, NULL: any dimension.
                "@axes" of NUMBERS that are a place: m, or that of the item's state variable. */
  const char *fallback; /* default as deck text; NULL: none */
  double min, max;      /* range in SI; both 0: no range. Use INK_NO_MAX for half-open ranges */
  const char *choices;  /* "cartesian|cylindrical|spherical" */
  const char *refusal;  /* "radiation=is a law of temperatures": a word that is none of the choices, and what
                           to say of it */
  unsigned flags;
  const char *doc; /* one line */
} InkKey;

#define INK_NO_MAX 1e300

/* An axis of the domain where the deck names the axes itself: a state variable of a model. */
typedef struct InkSchemaAxis {
  const char *name;    /* "V": in expressions INK_VAR_X + its number; its sides are V_min and V_max */
  const char *section; /* "model.state.V": has from, to, cells, grading */
} InkSchemaAxis;

/* What a solver makes of its deck: the key rows (common and own), its fields and its symbolic units. */
typedef struct InkSchema {
  const InkKey *const *tables; /* ends with NULL; each table ends with a row whose path is NULL */
  /* Adds what a short word of the deck stands for (a named set of kinetics) as nodes that the deck does not
   * have itself, before anything is resolved. Errors of the word are reported. Optional. */
  void (*expand)(InkPool *pool, InkNode *root, InkErrors *errors);
  /* Names of the fields, from the deck (heat: "T"; reaction_diffusion: the species). Returns the count. */
  int (*fields)(const InkNode *root, const char *names[INK_MAX_FIELDS]);
  /* The axes of the domain, where they are not those of `mesh` (which is then neither required nor known): at
   * most three are set; returns the count, which may be more. In expressions INK_OF_SPACE means them. Each
   * has a dimension of its own, known when an end was given with a unit. NULL: x, y, z or r of the section
   * mesh. */
  int (*axes)(InkPool *pool, const InkNode *root, InkSchemaAxis axes[3]);
  /* The dimension of field f where nothing in the deck gives it one, of the axes' dimensions and that of
   * time. Optional. */
  InkDim (*field_dim)(const InkNode *root, int field, const InkDim axis_dim[3], InkDim time);
  /* The dimension "@NAME" stands for at `node`; not known: any. ("@field", the dimension of the field the
   * node is about, is not asked.) field: the field the node is about, by its own name, by the keys `field` or
   * `quantity` beside it or by the sections it stands in; -1: not known. field_dim[f]: of field f as far as
   * the deck tells: species.NAME.unit, else initial.NAME or species.NAME.initial. */
  InkDim (*unit)(const InkNode *root, const InkNode *node, const char *name, int field,
                 const InkDim *field_dim);
} InkSchema;

/* Keys every solver shares: title, solver, include, seed, parameters, mesh, time, output, checkpoint, probes,
 * verify, ... */
extern const InkKey ink_common_keys[];

/* The row of `schema` for a deck path such as "mesh.x.cells" (`node` gives siblings for `when`; may be NULL),
 * or NULL. */
const InkKey *ink_key_find(const InkSchema *schema, const char *path, const InkNode *node);

/* The known name nearest to `name` among the children of `parent` ("mesh.*"), or NULL when none is near. */
const char *ink_key_suggest(InkPool *pool, const InkSchema *schema, const char *parent, const char *name);

/* `inkdrop describe`: every key as text, JSON, or a JSON schema (draft 2020-12). filter: NULL or a path
 * prefix such as "mesh" or "mesh.x.cells". Returns false when nothing matches. */
bool ink_describe(const InkSchema *schema, const char *solver, const char *filter, FILE *out);
bool ink_describe_json(const InkSchema *schema, const char *solver, const char *filter, FILE *out);
bool ink_describe_json_schema(const InkSchema *schema, const char *solver, FILE *out);
#endif
