#include <stdio.h>
#define STR(x) #x
#define CAT(a, b) a##b
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define X(F) F(red) F(green)
#define E(n) c_##n,
enum { X(E) };
#line 100 "renamed.c"
int main(void) { int CAT(va, lue) = MAX(3, 4); printf("%s %d %d %d %s\n", STR(a + b), value, c_green, __LINE__, __FILE__); return 0; }
