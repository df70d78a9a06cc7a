/* The pool: memory that lives and dies together, in blocks handed out front to back. */
#include "expression.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16384, ALIGNMENT = alignof(max_align_t) };

typedef struct Block Block;
struct Block {
  Block *next;
  size_t used, size;
  alignas(max_align_t) unsigned char bytes[];
};

struct InkPool {
  Block *first; /* the block being filled */
};

static void *checked(void *memory) {
  if (memory) return memory;
  fputs("inkdrop: out of memory\n", stderr);
  abort();
}

InkPool *ink_pool_create(void) { return checked(calloc(1, sizeof(InkPool))); }

void ink_pool_destroy(InkPool **pool) {
  if (!pool || !*pool) return;
  for (Block *block = (*pool)->first; block;) {
    Block *next = block->next;
    free(block);
    block = next;
  }
  free(*pool);
  *pool = NULL;
}

void *ink_pool_alloc(InkPool *pool, size_t bytes) {
  size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (rounded < bytes || rounded > SIZE_MAX / 2) checked(NULL);
  Block *block = pool->first;
  if (!block || block->size - block->used < rounded) {
    size_t size = rounded > BLOCK_BYTES / 4 ? rounded : (size_t)BLOCK_BYTES;
    Block *fresh = checked(calloc(1, sizeof(Block) + size));
    fresh->size = size;
    /* A large piece gets a block of its own behind the one being filled, which keeps its room. */
    if (block && size == rounded) {
      fresh->next = block->next;
      block->next = fresh;
    } else {
      fresh->next = block;
      pool->first = fresh;
    }
    block = fresh;
  }
  void *memory = block->bytes + block->used;
  block->used += rounded;
  return memory;
}

char *ink_pool_strdup(InkPool *pool, const char *text) {
  size_t bytes = strlen(text) + 1;
  return memcpy(ink_pool_alloc(pool, bytes), text, bytes);
}
