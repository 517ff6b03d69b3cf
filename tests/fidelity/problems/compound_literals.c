#include <stdio.h>
struct p { int x, y; }; static int dot(struct p a, struct p b) { return a.x * b.x + a.y * b.y; }
int main(void) { int a[10] = {[3] = 3, [7] = 7}; printf("%d %d %d\n", dot((struct p){1, 2}, (struct p){.y = 4, .x = 3}), a[3] + a[7], ({ int t = 5; t * 2; })); return 0; }
