#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <assert.h>
union u { float f; unsigned i; }; struct s { char c; int i; char d; } __attribute__((packed)); struct b { unsigned a : 3, b : 5; };
int main(void) { union u u = {.f = 1.0f}; assert(u.i == 0x3f800000 && sizeof(struct s) == 6); struct b b = {7, 31}; b.a++; printf("%u %u %zu\n", b.a, b.b, offsetof(struct s, d)); return 0; }
