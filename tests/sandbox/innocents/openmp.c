#include <omp.h>
#include <stdio.h>
int main(void) { long s = 0;
#pragma omp parallel for reduction(+ : s)
    for (int i = 0; i < 100000; i++) s += i;
    puts(s == 4999950000L && omp_get_max_threads() >= 1 ? "fine" : "wrong"); return 0; }
