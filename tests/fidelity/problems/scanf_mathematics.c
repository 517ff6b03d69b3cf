#include <stdio.h>
#include <complex.h>
#include <math.h>
#include <tgmath.h>
#include <inttypes.h>
#include <stdbool.h>
#include <wchar.h>
#include <fenv.h>
int main(){int n; double s=0,x; char w[20]; if(scanf("%d",&n)!=1) return 1; for(int i=0;i<n;i++){scanf("%lf",&x); s+=x;} scanf("%19s",w); printf("%.2f %s %d\n",s,w,getchar()); double complex z=1+2*I; printf("%.2f %.2f\n",creal(z*z),cabs(z)); printf("%f %f %d\n",fma(2,3,4),nan(""),fegetround()); printf("%" PRId64 " %zu\n",INT64_MIN,sizeof(wchar_t)); int c; while((c=getchar())!=EOF) putchar(c); return 0;}
