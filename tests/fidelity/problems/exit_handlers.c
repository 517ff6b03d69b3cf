#include <stdio.h>
#include <stdlib.h>
static void a(void) { puts("first registered"); } static void b(void) { puts("second registered"); }
__attribute__((constructor)) static void c(void) { puts("constructor"); } __attribute__((destructor)) static void d(void) { puts("destructor"); }
int main(void) { atexit(a); atexit(b); puts("main"); exit(7); }
