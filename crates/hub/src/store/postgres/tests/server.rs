//! A PostgreSQL server of the tests' own: one process for all of them, in a folder of its own, on a socket there.

use ::postgres::{Client, Config, NoTls};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Makes a server, starts it, says so, and waits for its standard input to end: however the tests end, the server is
/// stopped and its folder goes. It is quick rather than durable; that a store asks for what is durable is tested apart. Its
/// locale is one that does not order as bytes do.
const SCRIPT: &str = r#"
set -e
"$1/initdb" -D "$2/data" -U hub --auth=trust --encoding=UTF8 --locale-provider=icu --icu-locale=en-US --locale=C \
  --no-sync >"$2/log" 2>&1
end() { "$1/pg_ctl" -D "$2/data" -m immediate stop >>"$2/log" 2>&1; rm -rf "$2"; }
if [ -n "$3" ]; then
  printf '[req]\ndistinguished_name=dn\nx509_extensions=of\nprompt=no\n[dn]\nCN=localhost\n' >"$2/req"
  printf '[of]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n' >>"$2/req"
  openssl req -new -x509 -days 2 -nodes -config "$2/req" -keyout "$2/key" -out "$2/certificate" >>"$2/log" 2>&1
  chmod 600 "$2/key"
fi
"$1/pg_ctl" -D "$2/data" -w -l "$2/log" start >>"$2/log" 2>&1 -o "-k $2 ${3:--c listen_addresses=} \
  -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=300"
echo started
read -r nothing || true
end "$1" "$2"
"#;

/// A server that is reached over TLS alone, by the name of localhost. Its certificate is in the file that is given, behind
/// its address. It runs until the tests end, as the other one.
pub(super) fn over_tls() -> (String, PathBuf) {
    static SERVER: OnceLock<(u16, Server)> = OnceLock::new();
    let (port, server) = SERVER.get_or_init(|| {
        // Nobody else takes it that soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = start(|folder| {
            let folder = folder.display();
            format!(
                "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_key_file={folder}/key \
                 -c ssl_cert_file={folder}/certificate"
            )
        });
        (port, server)
    });
    (format!("postgres://hub@localhost:{port}/postgres"), server.folder.join("certificate"))
}

pub(super) struct Server {
    folder: PathBuf,
    /// Its standard input is open for as long as the tests run.
    _running: Child,
}

/// A server that one test has for itself, to do to it what it likes. It runs for as long as the test holds it.
pub(super) fn own() -> Server {
    start(|_| String::new())
}

/// As [`own`], at a port of this machine, which is given too.
pub(super) fn own_at_port() -> (Server, u16) {
    // Nobody else takes it that soon.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (start(|_| format!("-c listen_addresses=127.0.0.1 -p {port}")), port)
}

impl Server {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn address(&self, database: &str) -> String {
        format!("postgres://hub@/{database}?host={}", self.folder.display())
    }

    /// Stops every process of it where it stands, as when its machine hangs.
    pub(super) fn freeze(&self) -> Frozen {
        let told = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let first: i32 = told.lines().next().unwrap().parse().unwrap();
        let mut frozen = Frozen(Vec::new());
        // It first: so no other one begins.
        frozen.stop(first);
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        children.split_whitespace().for_each(|child| frozen.stop(child.parse().unwrap()));
        frozen
    }

    /// Makes it a standby of itself and has that take over: another life of the server begins, as where one takes over from
    /// another machine.
    pub(super) fn promote(&self) {
        let signal = self.folder.join("data/standby.signal");
        fs::write(&signal, "").unwrap();
        if rustix::process::geteuid().is_root() {
            chown(&signal, Some(id("-u")), Some(id("-g"))).unwrap();
        }
        self.control(&["restart", "-w", "-m", "fast"]);
        self.control(&["promote", "-w"]);
    }

    /// Whom it lets in, in the lines of pg_hba.conf.
    pub(super) fn admit(&self, lines: &str) {
        fs::write(self.folder.join("data/pg_hba.conf"), lines).unwrap();
        self.control(&["reload"]);
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = Command::new(programs().join("pg_ctl"));
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(arguments);
        if rustix::process::geteuid().is_root() {
            command.uid(id("-u")).gid(id("-g"));
        }
        // A server that is started keeps what its starter had open.
        let done = command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "{arguments:?}: {}", fs::read_to_string(self.folder.join("log")).unwrap());
    }
}

/// Processes that stand still, until this is dropped.
pub(super) struct Frozen(Vec<Pid>);

impl Frozen {
    fn stop(&mut self, id: i32) {
        let pid = Pid::from_raw(id).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        self.0.push(pid);
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill_process(*pid, Signal::CONT);
        }
    }
}

/// A database that nobody else uses, by its address.
pub(super) fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    ask("postgres", &format!("CREATE DATABASE {name}"));
    address(&name)
}

/// A copy of the database of that address, which nobody uses now; by its address.
pub(super) fn copy(url: &str) -> String {
    let name = url.split('/').nth(3).and_then(|rest| rest.split('?').next()).unwrap();
    ask("postgres", &format!("CREATE DATABASE {name}_copy TEMPLATE {name}"));
    address(&format!("{name}_copy"))
}

/// A schema that nobody else uses, in a database that others use too. It takes less time than a database.
pub(super) fn schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("s{}", NEXT.fetch_add(1, Ordering::Relaxed));
    ask("postgres", &format!("CREATE SCHEMA {name}"));
    format!("{}&options=-csearch_path%3D{name}", address("postgres"))
}

/// Runs statements in the database of that address, or name.
pub(super) fn ask(database: &str, sql: &str) {
    client(database).batch_execute(sql).unwrap();
}

/// Ends every connection to the database of that address but the one that says so.
pub(super) fn cut(url: &str) {
    ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}

/// Whether the database of that address lets anybody in. Where it does not, the connections end that hold a turn there.
pub(super) fn admits(url: &str, may: bool) {
    let name = url.split('/').nth(3).and_then(|rest| rest.split('?').next()).unwrap();
    ask("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {may}"));
    if !may {
        ask(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE d.datname = '{name}' AND l.locktype = 'advisory' AND l.granted"
            ),
        );
    }
}

/// Ends the connections to the database of that address that hold a turn there.
pub(super) fn cut_turn(url: &str) {
    ask(url, &format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {TURN} AND granted"));
}

const TURN: &str = "locktype = 'advisory' AND database = (
    SELECT oid FROM pg_database WHERE datname = current_database())";

/// Takes the turn at the database of that address from whoever has it: it stands in line, and has it as soon as the other's
/// connection is cut. It has it until what is given is dropped.
pub(super) fn take_turn(url: &str) -> Taken {
    let mut next = client(url);
    let waiting = thread::spawn(move || {
        next.batch_execute("SELECT pg_advisory_lock(6004271854)").unwrap();
        next
    });
    while number(url, &format!("SELECT count(*) FROM pg_locks WHERE {TURN} AND NOT granted")) == 0 {}
    cut_turn(url);
    Taken(Some(waiting.join().unwrap()))
}

/// A turn that somebody else has.
pub(super) struct Taken(Option<Client>);

impl Drop for Taken {
    fn drop(&mut self) {
        // It waits until the server has let go, which it must not where other tests' work is awaited.
        let client = self.0.take();
        let _ = thread::spawn(move || drop(client)).join();
    }
}

/// The text that a statement gives.
pub(super) fn text(database: &str, sql: &str) -> String {
    client(database).query_one(sql, &[]).unwrap().get(0)
}

/// The number that a statement gives.
pub(super) fn number(database: &str, sql: &str) -> i64 {
    client(database).query_one(sql, &[]).unwrap().get(0)
}

pub(super) fn client(database: &str) -> Client {
    let url = if database.contains("//") { database.to_owned() } else { address(database) };
    url.parse::<Config>().unwrap().connect(NoTls).unwrap()
}

pub(super) fn address(database: &str) -> String {
    format!("postgres://hub@/{database}?host={}", running().folder.display())
}

fn running() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(|_| String::new()))
}

/// Starts a server, with further options that depend on its folder.
fn start(options: impl FnOnce(&Path) -> String) -> Server {
    let programs = programs();
    // The script removes it.
    let folder = tempfile::Builder::new().prefix("standpipe-pg").tempdir().unwrap().keep();
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(&folder).arg(options(&folder)).current_dir("/");
    if rustix::process::geteuid().is_root() {
        // PostgreSQL refuses to run as root. Its package brings an account.
        let (uid, gid) = (id("-u"), id("-g"));
        chown(&folder, Some(uid), Some(gid)).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        command.uid(uid).gid(gid);
    }
    // What ends the tests from a terminal must not end the script before it has tidied.
    let mut running = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    assert_eq!(said, "started\n", "PostgreSQL did not start: {}", log());
    Server { folder, _running: running }
}

fn id(of: &str) -> u32 {
    let told = Command::new("id").args([of, "postgres"]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.trim()
        .parse()
        .expect("root needs the account `postgres` to run a PostgreSQL server; scripts/setup.sh brings it")
}

/// The folder of the server's programs: of the newest version that is there.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((version, entry.path().join("bin")));
    }
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let bindir = told.map(|told| PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    found.extend(bindir.map(|bindir| (0, bindir)));
    found.retain(|(_, programs): &(u32, PathBuf)| Path::new(programs).join("initdb").exists());
    found.into_iter().max().expect("these tests need PostgreSQL 15 or later; scripts/setup.sh brings it").1
}
