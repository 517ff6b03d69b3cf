#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <wchar.h>
#include <time.h>
int main(int c,char**v){ setlocale(LC_ALL,""); printf("%d %s|%-10s|%+.3e|%p\n",c,v[0],"ab",3.14159,(void*)0); wprintf; FILE*f=tmpfile(); fputs("hello\nworld\n",f); rewind(f); char*l=0; size_t n=0; while(getline(&l,&n,f)>0) fputs(l,stdout); char b[L_tmpnam]; FILE*g=fopen("x.bin","wb+"); int a[3]={1,2,3}; fwrite(a,4,3,g); fseek(g,4,SEEK_SET); int r; fread(&r,4,1,g); printf("%d %ld\n",r,ftell(g)); fclose(g); remove("x.bin"); struct tm t={.tm_year=124,.tm_mon=5,.tm_mday=15}; time_t tt=mktime(&t); char s[64]; strftime(s,64,"%F %A %j",localtime(&tt)); puts(s); fprintf(stderr,"err\n"); char*m; size_t z; FILE*o=open_memstream(&m,&z); fprintf(o,"mem%d",5); fclose(o); puts(m); FILE*p=popen("echo popen","r"); fgets(s,64,p); fputs(s,stdout); printf("%d\n",pclose(p)); printf("%d\n",system("exit 3")>>8); setvbuf(stdout,0,_IOFBF,1000); printf("end"); return 5; }
