import os,stat,pwd,grp,getpass,platform,sys
print(os.cpu_count()>0,len(os.sched_getaffinity(0))>0,os.getloadavg()[0]>=0,os.uname().sysname,platform.system(),platform.machine(),platform.python_implementation())
os.mkfifo("f"); print(stat.S_ISFIFO(os.stat("f").st_mode)); os.symlink("x","l"); print(os.readlink("l")); os.link("f","h"); print(os.stat("f").st_nlink)
open("x","w").close(); os.setxattr("x","user.a",b"1") if False else None
os.utime("x",(1,2)); print(os.stat("x").st_mtime); os.chmod("x",0o640); print(oct(os.stat("x").st_mode)); print(os.access("x",os.R_OK),os.path.realpath("l"))
fd=os.open("x",os.O_RDWR|os.O_CREAT); os.posix_fallocate(fd,0,4096); print(os.fstat(fd).st_size); os.ftruncate(fd,10); os.lseek(fd,0,0); print(os.pread(fd,5,0),os.pwrite(fd,b"ab",2)); os.fsync(fd); os.sync(); os.posix_fadvise(fd,0,0,os.POSIX_FADV_DONTNEED); os.close(fd)
print(sorted(os.listdir(".")),os.getcwd()); pid=os.fork()
if pid==0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1])); print(os.nice(1),os.getpriority(os.PRIO_PROCESS,0)); print(os.umask(0o77)); os.memfd_create("m"); print(os.eventfd(3)>0, os.pidfd_open(os.getpid())>0)
import fcntl; f=open("x"); fcntl.flock(f,fcntl.LOCK_EX); fcntl.lockf(f,fcntl.LOCK_SH); print(fcntl.fcntl(f,fcntl.F_GETFD)); print(os.get_terminal_size.__name__, os.isatty(1), sys.stdin.isatty())
print(os.confstr("CS_PATH"),os.sysconf("SC_PAGESIZE"),os.pathconf("/tmp","PC_NAME_MAX")); print(os.getgroups()==[] or len(os.getgroups())>0)
