#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <assert.h>
static struct { char k[16]; int v; } t[1024];
static int *get(const char *k) { unsigned h = 5381; for (const char *p = k; *p; p++) h = h * 33 + *p; for (;; h++) { if (!t[h & 1023].k[0]) strcpy(t[h & 1023].k, k); if (!strcmp(t[h & 1023].k, k)) return &t[h & 1023].v; } }
int main(void) { char b[16]; for (int i = 0; i < 3000; i++) { sprintf(b, "key%d", i % 300); ++*get(b); } for (int i = 0; i < 300; i++) { sprintf(b, "key%d", i); assert(*get(b) == 10); } puts("ok"); return 0; }
