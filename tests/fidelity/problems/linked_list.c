#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
struct n { int v; struct n *next; };
int main(void) { struct n *h = 0, *p = 0; for (int i = 0; i < 10; i++) { struct n *x = malloc(sizeof *x); x->v = i; x->next = h; h = x; } while (h) { struct n *t = h->next; h->next = p; p = h; h = t; } int k = 0; for (struct n *x = p; x;) { assert(x->v == k++); printf("%d ", x->v); struct n *t = x->next; free(x); x = t; } puts(""); return 0; }
