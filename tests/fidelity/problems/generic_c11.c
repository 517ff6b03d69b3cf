#include <stdio.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdalign.h>
#define kind(x) _Generic((x), int: "int", double: "double", char *: "text", default: "other")
_Static_assert(sizeof(int) == 4, "int");
int main(void) { atomic_int n = 0; n += 5; alignas(64) char b[64]; printf("%s %s %s %d %d %d\n", kind(1), kind(1.0), kind("x"), n, (int)((unsigned long)b % 64), (bool)5); return 0; }
