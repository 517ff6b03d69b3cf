#include <stdio.h>
#include <assert.h>
int main(void) { FILE *f = fopen("t.txt", "w+"); assert(f); for (int i = 0; i < 100; i++) fprintf(f, "line %d\n", i); rewind(f); char b[64]; int n = 0; while (fgets(b, 64, f)) n++; fseek(f, -8, SEEK_END); printf("%d %s", n, fgets(b, 64, f)); fclose(f); remove("t.txt"); return n != 100; }
