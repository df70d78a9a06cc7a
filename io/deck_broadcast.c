/* Sending the resolved deck from rank 0 to all: numbers bit by bit, expression trees, places. */
#include "deck_impl.h"
#include "expression_impl.h"

#include <stdlib.h>
#include <string.h>

/* A buffer that is written on rank 0 and read elsewhere. */
typedef struct Message {
  char *bytes;
  size_t used, room; /* writing: room allocated; reading: total length */
  const char *last;  /* last file name read: places repeat it */
} Message;

static void put(Message *m, const void *data, size_t size) {
  if (m->used + size > m->room) {
    m->room = 2 * (m->used + size) + 4096;
    m->bytes = realloc(m->bytes, m->room);
    if (!m->bytes) abort();
  }
  memcpy(m->bytes + m->used, data, size);
  m->used += size;
}

static void get(Message *m, void *data, size_t size) {
  if (m->used + size > m->room) {
    fprintf(stderr, "inkdrop: internal error: the broadcast deck is cut short\n");
    abort();
  }
  memcpy(data, m->bytes + m->used, size);
  m->used += size;
}

static void put_int(Message *m, int value) { put(m, &value, sizeof value); }

static int get_int(Message *m) {
  int value;
  get(m, &value, sizeof value);
  return value;
}

static void put_text(Message *m, const char *text) {
  int length = text ? (int)strlen(text) : -1;
  put_int(m, length);
  if (length > 0) put(m, text, (size_t)length);
}

static const char *get_text(Message *m, InkPool *pool) {
  int length = get_int(m);
  if (length < 0) return NULL;
  char *text = ink_pool_alloc(pool, (size_t)length + 1);
  if (length) get(m, text, (size_t)length);
  return text;
}

static void put_place(Message *m, InkPlace place) {
  put_text(m, place.file);
  put_int(m, place.line);
  put_int(m, place.column);
}

static InkPlace get_place(Message *m, InkPool *pool) {
  const char *file = get_text(m, pool);
  if (file && m->last && !strcmp(file, m->last)) file = m->last;
  m->last = file;
  int line = get_int(m), column = get_int(m);
  return (InkPlace){file, line, column};
}

static void put_expression(Message *m, const InkExpr *e) {
  put_int(m, e ? (int)e->op : -1);
  if (!e) return;
  put_int(m, e->variable);
  put(m, &e->value, sizeof e->value);
  put(m, &e->dim, sizeof e->dim);
  put_int(m, e->column);
  for (int a = 0; a < ink_op_arguments(e->op); a++) put_expression(m, e->arg[a]);
}

static const InkExpr *get_expression(Message *m, InkPool *pool) {
  int op = get_int(m);
  if (op < 0) return NULL;
  int variable = get_int(m), column;
  double value;
  InkDim dim;
  get(m, &value, sizeof value);
  get(m, &dim, sizeof dim);
  column = get_int(m);
  const InkExpr *arg[3] = {NULL, NULL, NULL};
  for (int a = 0; a < ink_op_arguments((InkOp)op); a++) arg[a] = get_expression(m, pool);
  InkExpr *e = ink_expr_node(pool, (InkOp)op, arg);
  e->variable = variable;
  if (op == INK_OP_VARIABLE) e->variables = 1ull << variable;
  e->value = value;
  e->dim = dim;
  e->column = column;
  return e;
}

/* Rows of the key table travel as (table, row): the tables are part of the program. */
static void put_key(Message *m, const InkSchema *schema, const InkKey *key) {
  for (int t = 0; schema->tables[t]; t++)
    for (int row = 0; schema->tables[t][row].path; row++)
      if (&schema->tables[t][row] == key) {
        put_int(m, t);
        put_int(m, row);
        return;
      }
  put_int(m, -1);
  put_int(m, -1);
}

static const InkKey *get_key(Message *m, const InkSchema *schema) {
  int table = get_int(m), row = get_int(m);
  return table < 0 ? NULL : &schema->tables[table][row];
}

static void put_node(Message *m, const InkSchema *schema, const InkNode *node) {
  put_int(m, (int)node->kind);
  put_text(m, node->key);
  put_place(m, node->key_place);
  put_place(m, node->place);
  put_text(m, node->text);
  put_key(m, schema, node->type);
  put(m, &node->number, sizeof node->number);
  put_int(m, node->percent);
  put(m, &node->dim, sizeof node->dim);
  put_int(m, node->defaulted);
  put_text(m, node->unit);
  put(m, &node->factor, sizeof node->factor);
  put(m, &node->offset, sizeof node->offset);
  put_expression(m, node->expression);
  put_int(m, node->count);
  for (const InkNode *child = node->first; child; child = child->next) put_node(m, schema, child);
}

static InkNode *get_node(Message *m, const InkSchema *schema, InkPool *pool) {
  InkNodeKind kind = (InkNodeKind)get_int(m);
  const char *key = get_text(m, pool);
  InkPlace key_place = get_place(m, pool), place = get_place(m, pool);
  InkNode *node = ink_node_create(pool, kind, key, key_place, place);
  node->text = get_text(m, pool);
  node->type = get_key(m, schema);
  get(m, &node->number, sizeof node->number);
  node->percent = get_int(m);
  get(m, &node->dim, sizeof node->dim);
  node->defaulted = get_int(m);
  node->unit = get_text(m, pool);
  get(m, &node->factor, sizeof node->factor);
  get(m, &node->offset, sizeof node->offset);
  node->expression = get_expression(m, pool);
  int count = get_int(m);
  for (int i = 0; i < count; i++) ink_node_append(node, get_node(m, schema, pool));
  return node;
}

static void put_deck(Message *m, const InkDeck *deck) {
  put_text(m, ink_deck_text(deck, "solver"));
  put_text(m, deck->file);
  put_int(m, deck->fields);
  for (int f = 0; f < deck->fields; f++) {
    put_text(m, deck->field[f]);
    put(m, &deck->field_dim[f], sizeof deck->field_dim[f]);
  }
  put_int(m, deck->axes);
  for (int a = 0; a < deck->axes; a++) {
    put_text(m, deck->axis[a].name);
    put_text(m, deck->axis[a].section);
    put(m, &deck->axis[a].dim, sizeof deck->axis[a].dim);
  }
  put_node(m, deck->schema, deck->root);
}

static InkDeck *get_deck(Message *m, const InkSchemas *schemas) {
  InkDeck *deck = ink_deck_create("");
  deck->schema = schemas->find(get_text(m, deck->pool));
  deck->file = get_text(m, deck->pool);
  deck->fields = get_int(m);
  for (int f = 0; f < INK_MAX_FIELDS; f++) deck->field_dim[f] = ink_dim_any();
  for (int f = 0; f < deck->fields; f++) {
    deck->field[f] = get_text(m, deck->pool);
    get(m, &deck->field_dim[f], sizeof deck->field_dim[f]);
  }
  deck->axes = get_int(m);
  for (int a = 0; a < deck->axes; a++) {
    deck->axis[a].name = get_text(m, deck->pool);
    deck->axis[a].section = get_text(m, deck->pool);
    get(m, &deck->axis[a].dim, sizeof deck->axis[a].dim);
    ink_domain_axis_name(deck->pool, &deck->axis[a]);
  }
  deck->root = get_node(m, deck->schema, deck->pool);
  ink_deck_name_variables(deck);
  return deck;
}

PetscErrorCode ink_deck_broadcast(MPI_Comm comm, const InkSchemas *schemas, InkDeck **deck) {
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  Message m = {0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) put_deck(&m, *deck);
  int length = (int)m.used;
  PetscCallMPI(MPI_Bcast(&length, 1, MPI_INT, 0, comm));
  if (rank != 0) {
    m.bytes = malloc((size_t)length);
    PetscCheck(m.bytes, PETSC_COMM_SELF, PETSC_ERR_MEM, "out of memory");
    m.room = (size_t)length;
  }
  PetscCallMPI(MPI_Bcast(m.bytes, length, MPI_BYTE, 0, comm));
  if (rank != 0) *deck = get_deck(&m, schemas);
  free(m.bytes);
  PetscFunctionReturn(0);
}
