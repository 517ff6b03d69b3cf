#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
typedef struct t { int k; struct t *l, *r; } T;
static T *add(T *t, int k) { if (!t) { t = calloc(1, sizeof *t); t->k = k; } else if (k < t->k) t->l = add(t->l, k); else t->r = add(t->r, k); return t; }
static int last = -1, n; static void walk(T *t) { if (!t) return; walk(t->l); assert(t->k >= last); last = t->k; n++; walk(t->r); free(t); }
int main(void) { T *t = 0; for (int i = 0; i < 500; i++) t = add(t, i * 7919 % 1009); walk(t); printf("%d %d\n", n, last); return n != 500; }
