//! The system's own calls, past those that the simulation stands in for.

use libc::c_int;
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub fn open(path: &Path) -> c_int {
    let path = c_path(path);
    // SAFETY: a C string that lives through the call.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDWR, 0) };
    c_int::try_from(fd).unwrap_or(-1)
}

pub fn read(fd: c_int, at: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    if !bytes.is_empty() {
        // SAFETY: the buffer is as long as is said.
        let read = unsafe { libc::syscall(libc::SYS_pread64, fd, bytes.as_mut_ptr(), bytes.len(), at) };
        bytes.truncate(usize::try_from(read).unwrap_or(0));
    }
    bytes
}

pub fn put(fd: c_int, at: u64, bytes: &[u8]) {
    // SAFETY: the buffer is as long as is said.
    unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes.as_ptr(), bytes.len(), at) };
}

pub fn cut(fd: c_int, length: u64) {
    // SAFETY: changes a length, touches no memory.
    unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) };
}

pub fn stat(fd: c_int) -> (u64, u64) {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the buffer is a `stat`; zeroed, it is valid whatever the call does.
    let stat = unsafe {
        libc::fstat(fd, stat.as_mut_ptr());
        stat.assume_init()
    };
    (stat.st_ino, stat.st_size.unsigned_abs())
}

pub fn path_of(fd: c_int) -> PathBuf {
    let mut buffer = [0_u8; 512];
    let link = c_path(Path::new(&format!("/proc/self/fd/{fd}")));
    // SAFETY: the buffer is as long as is said.
    let read = unsafe {
        libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), buffer.as_mut_ptr(), buffer.len())
    };
    let read = usize::try_from(read).unwrap_or(0);
    PathBuf::from(OsStr::from_bytes(&buffer[..read]))
}

pub fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}

pub fn close(fd: c_int) {
    // SAFETY: a descriptor that nobody else has.
    unsafe { libc::syscall(libc::SYS_close, fd) };
}

/// Memory that processes share is gone without power; SQLite makes it anew.
pub fn drop_shared_memory(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_bytes().ends_with(b"-shm") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
