#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void){ volatile int z=0; char *p=malloc(10); free(p); if(getenv("NOPE")) p[0]=1; fflush(stdout); int *q=malloc(1<<30); q[0]=1; printf("%d\n",q[0]); q=realloc(q,100); printf("%d\n",q[0]); void*a; printf("%d\n",posix_memalign(&a,4096,8192)); free(q); free(p=strdup("x")); free(p); return 0; }
