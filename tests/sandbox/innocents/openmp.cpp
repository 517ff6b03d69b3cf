#include <omp.h>
#include <cstdio>
int main() { long s = 0;
#pragma omp parallel for reduction(+ : s) num_threads(4)
    for (int i = 0; i < 100000; i++) s += i;
    puts(s == 4999950000L ? "fine" : "wrong"); }
