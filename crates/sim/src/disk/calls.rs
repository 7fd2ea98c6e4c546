//! The system's calls that change files, as the whole program sees them: SQLite, the vault and the office's photos alike.
//!
//! A symbol that a program defines goes before the C library's. Each call here asks [`super::before`] first, and then
//! does what the library would have done. Calls that only read are left alone.

#![allow(unsafe_code)]
// The system's own results fit what the C library gives of them.
#![allow(clippy::cast_possible_truncation)]

use super::{Change, after, before, is_simulated};
use libc::{c_char, c_int, c_void, mode_t, off_t, size_t, ssize_t};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Says to the caller that the call failed, as the C library does.
fn failed(errno: c_int) -> c_int {
    // SAFETY: the address is this thread's own, and always valid.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// # Safety
/// `path` is a C string, as every caller of these functions promises.
unsafe fn path<'a>(path: *const c_char) -> &'a Path {
    // SAFETY: see above.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

macro_rules! guarded {
    ($change:expr, $call:expr) => {{
        match before($change) {
            Err(errno) => failed(errno) as _,
            Ok(pending) => {
                // SAFETY: the arguments are the caller's, passed on as they came.
                let result = unsafe { $call };
                match after(pending, result >= 0) {
                    Ok(()) => result as _,
                    Err(errno) => failed(errno) as _,
                }
            }
        }
    }};
}

/// # Safety
/// As `write(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, buf: *const c_void, count: size_t) -> ssize_t {
    guarded!(Change::Write { fd, at: None, len: count }, libc::syscall(libc::SYS_write, fd, buf, count))
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, buf: *const c_void, count: size_t, offset: off_t) -> ssize_t {
    let change = Change::Write { fd, at: Some(offset.unsigned_abs()), len: count };
    guarded!(change, libc::syscall(libc::SYS_pwrite64, fd, buf, count, offset))
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, buf: *const c_void, count: size_t, offset: off_t) -> ssize_t {
    // SAFETY: the same call.
    unsafe { pwrite64(fd, buf, count, offset) }
}

/// # Safety
/// As `writev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, iov: *const libc::iovec, count: c_int) -> ssize_t {
    // SAFETY: the caller promises `count` of them.
    let parts = unsafe { std::slice::from_raw_parts(iov, usize::try_from(count).unwrap_or(0)) };
    let len = parts.iter().map(|part| part.iov_len).sum();
    guarded!(Change::Write { fd, at: None, len }, libc::syscall(libc::SYS_writev, fd, iov, count))
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    let change = Change::Truncate { fd, to: length.unsigned_abs() };
    guarded!(change, libc::syscall(libc::SYS_ftruncate, fd, length))
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    // SAFETY: the same call.
    unsafe { ftruncate64(fd, length) }
}

/// # Safety
/// As `fsync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    // A folder of the simulation is kept by what is written down, not by a real disk: it need not wait for one.
    match before(Change::Sync { fd }) {
        Ok(None) => {
            // SAFETY: passed on as it came.
            let result = unsafe { libc::syscall(libc::SYS_fsync, fd) };
            c_int::try_from(result).unwrap_or(-1)
        }
        Ok(pending) => match after(pending, true) {
            Ok(()) => 0,
            Err(errno) => failed(errno),
        },
        Err(errno) => failed(errno),
    }
}

/// # Safety
/// As `fdatasync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    // SAFETY: keeps more than was asked for.
    unsafe { fsync(fd) }
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the caller's promise.
    let change = Change::Open { path: unsafe { path(name) }, flags };
    guarded!(change, libc::syscall(libc::SYS_openat, libc::AT_FDCWD, name, flags, mode))
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the same call.
    unsafe { open64(name, flags, mode) }
}

/// Locks belong to a process, and every machine is within this one: between them the system has nothing to say, and SQLite
/// keeps its own connections apart. It asks ten times for each transaction.
///
/// # Safety
/// As `fcntl(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fcntl64(fd: c_int, what: c_int, argument: *mut c_void) -> c_int {
    match what {
        libc::F_SETLK if is_simulated() => 0,
        // SAFETY: the arguments are the caller's, passed on as they came.
        _ => unsafe { libc::syscall(libc::SYS_fcntl, fd, what, argument) as _ },
    }
}

/// # Safety
/// As `fcntl(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fcntl(fd: c_int, what: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: the same call.
    unsafe { fcntl64(fd, what, argument) }
}

/// # Safety
/// As `rename(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(old: *const c_char, new: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let change = Change::Rename { from: unsafe { path(old) }, to: unsafe { path(new) } };
    guarded!(change, libc::syscall(libc::SYS_rename, old, new))
}

/// # Safety
/// As `unlink(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let change = Change::Remove { path: unsafe { path(name) } };
    guarded!(change, libc::syscall(libc::SYS_unlink, name))
}

/// # Safety
/// As `mkdir(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(name: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: the caller's promise.
    let change = Change::Open { path: unsafe { path(name) }, flags: libc::O_CREAT | libc::O_DIRECTORY };
    guarded!(change, libc::syscall(libc::SYS_mkdir, name, mode))
}
