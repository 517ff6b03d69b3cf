#include <math.h>
#include <stdio.h>
#include <assert.h>
int main(void) { volatile double x = 2; assert(fabs(sqrt(x) * sqrt(x) - x) < 1e-12); printf("%.6f %.6f %.6f %.0f %f %f\n", sin(x), pow(x, 0.5), log(x), round(2.5), fmod(7, x), hypot(3, 4)); printf("%d %d %f\n", isnan(NAN) != 0, isinf(1 / (x - 2)) != 0, cbrt(27 * x / 2)); return 0; }
