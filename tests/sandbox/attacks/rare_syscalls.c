/* System calls that no program here needs: each must be refused before the kernel looks at them.
   The arguments are ones that do nothing should one be let through. */
#include "probe.h"
#define TRY(name, number) attempt_syscall(name, number, -1, 0, 0, 0, 0, 0)
int main(void) {
    TRY("io_uring_setup", 425); TRY("io_uring_enter", 426); TRY("io_uring_register", 427);
    TRY("bpf", 321); TRY("perf_event_open", 298); TRY("userfaultfd", 323);
    TRY("add_key", 248); TRY("request_key", 249); TRY("keyctl", 250);
    attempt_syscall("keyctl session", 250, 0, -3, 1, 0, 0, 0);
    TRY("kexec_load", 246); TRY("kexec_file_load", 320);
    TRY("init_module", 175); TRY("finit_module", 313); TRY("delete_module", 176);
    TRY("reboot", 169); TRY("syslog", 103);
    TRY("settimeofday", 164); TRY("clock_settime", 227);
    TRY("sethostname", 170); TRY("setdomainname", 171);
    TRY("iopl", 172); TRY("ioperm", 173); TRY("vhangup", 153);
    TRY("fanotify_init", 300); TRY("open_by_handle_at", 304);
    TRY("process_vm_readv", 310); TRY("process_vm_writev", 311);
    TRY("pidfd_getfd", 438);
    TRY("ptrace", 101); attempt_syscall("ptrace traceme", 101, 0, 0, 0, 0, 0, 0);
    TRY("migrate_pages", 256);
    TRY("modify_ldt", 154); TRY("uselib", 134); TRY("_sysctl", 156); TRY("nfsservctl", 180);
    TRY("lookup_dcookie", 212); TRY("sysfs", 139); TRY("ustat", 136);
    TRY("quotactl_fd", 443);
    TRY("lsm_set_self_attr", 460); TRY("create_module", 174); TRY("get_kernel_syms", 177);
    TRY("query_module", 178); TRY("afs_syscall", 183); TRY("tuxcall", 184); TRY("security", 185);
    TRY("fsopen", 430); TRY("mount_setattr", 442);
    return finish();
}
