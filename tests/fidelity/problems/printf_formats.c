#include <stdio.h>
#include <stdint.h>
#include <inttypes.h>
int main(void) { printf("%5d|%-5d|%05d|%+d|%x|%#X|%o|%u\n", 42, 42, 42, 42, 255, 255, 8, 4000000000u); printf("%f %.3e %g %10.2f %a\n", 3.14159, 12345.678, 0.0001, 2.5, 1.0); printf("%s|%10s|%-10s|%.2s|%c|%%|%p\n", "abc", "abc", "abc", "abc", 'z', (void *)0); printf("%" PRId64 " %zu %ld %hhd\n", INT64_MIN, sizeof(long), -1L, (signed char)-128); return 0; }
