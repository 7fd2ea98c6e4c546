//! The commands of `standpipe-hub`.

mod backup;
mod check;
mod kept;
mod migrate;
mod outside;
mod seen;
mod serve;

use crate::backup::BackupError;
use crate::blobs::BlobError;
use crate::count::{is, photos};
use crate::founding::{self, NotSetUp};
use crate::http::{CODE_LASTS, NotOpen};
use crate::secret::{Code, Password};
use crate::store::postgres::Over;
use crate::store::{Enrolment, Store, StoreError};
use crate::world::{Broken, RealWorld, World};
use clap::{Parser, Subcommand};
use kept::{Address, Place};
use standpipe_domain::ids::{Millis, PersonId};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The office's server of Standpipe: takes what tablets record, and shows it to the office.
#[derive(Debug, Parser)]
#[command(name = "standpipe-hub", version)]
pub struct Cli {
    /// The folder that holds everything: the database, the photos, the uploads under way.
    #[arg(long, global = true, env = "STANDPIPE_DATA", default_value = "standpipe-data")]
    data: PathBuf,
    /// The database, where it is one of PostgreSQL 15 or later instead of a file in that folder:
    /// postgres://user:password@host/database. The photos lie in the folder all the same.
    #[arg(long, global = true, env = "STANDPIPE_DATABASE", hide_env_values = true)]
    database: Option<Address>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer tablets and browsers until told to stop.
    Serve(serve::Options),
    /// Accounts of the console.
    #[command(subcommand)]
    User(UserCommand),
    /// Tablets.
    #[command(subcommand)]
    Tablet(TabletCommand),
    /// Copy everything to a folder on another disk, while the hub runs or not. Only once all of it is there, and was read
    /// back, does it take the place of the last one. Ends with 1 when something is missing.
    Backup(backup::Making),
    /// Make a data folder, empty or not there, out of a backup.
    Restore(backup::Restoring),
    /// Move the office of a data folder from its file into a database of PostgreSQL that holds none: all of it, compared row
    /// for row, or nothing. No hub may serve the folder meanwhile. Or back, from such a database into the folder.
    Migrate(migrate::Options),
    /// Say that the server of the database, one of PostgreSQL, has put it back to an earlier state. Tablets then give back
    /// what it lost. No hub may serve it meanwhile.
    Restored,
    /// Read every photo back from the disk and hash it. Ends with 1 when one is missing or spoilt. Tells, too, which photos
    /// records name that are not here.
    Verify {
        /// Read this backup back instead of the hub's own data.
        #[arg(long, conflicts_with_all = ["withdraw", "from"])]
        backup: Option<PathBuf>,
        /// Copy back from this backup what is missing or spoilt, and what records name and is not here, as far as it holds
        /// that whole.
        #[arg(long)]
        from: Option<PathBuf>,
        /// Say of each photo that stays missing or spoilt that it is not here, so that tablets that still have it send it
        /// again.
        #[arg(long)]
        withdraw: bool,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Set a password: one line from standard input, or, in a terminal, a fresh one that is printed.
    SetPassword {
        /// What is typed to sign in.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum TabletCommand {
    /// Print a code with which one new tablet can be enrolled within fifteen minutes.
    Enrol {
        /// What the tablet is to be called.
        #[arg(long)]
        name: String,
        /// Who holds it: a name or an id out of the directory.
        #[arg(long)]
        person: String,
    },
}

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("the data folder {} cannot be used: {source}; choose another with --data", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("another hub serves the data folder {} already; stop that one first", path.display())]
    InUse { path: PathBuf },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotSetUp(#[from] NotSetUp),
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error("listening at {address}: {source}; choose another with --listen")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "accounts of this hub have the demonstration's password, which everybody knows: it listens on this machine \
         only, or after `standpipe-hub user set-password` for {accounts}"
    )]
    KnownPassword { accounts: String },
    #[error("answering requests: {0}")]
    Serving(io::Error),
    #[error("reading the password from standard input: {0}")]
    Input(io::Error),
    #[error("an empty password was given; nothing was changed")]
    EmptyPassword,
    #[error("{found} people are called {called}; give the id of one of these: {people}")]
    WhichPerson { called: String, found: usize, people: String },
    #[error("nobody is called {called}; give the name or the id of one of these: {people}")]
    NoSuchPerson { called: String, people: String },
    #[error("nobody is called {called}: the office's directory is empty")]
    NobodyAtAll { called: String },
    #[error(
        "{} missing and {spoilt} {} spoilt; run verify --from with the folder of a backup, which copies back what it holds of \
         them, and verify --withdraw for those that are in none, so that tablets that still have them send them again",
        photos_are(*missing), is(*spoilt)
    )]
    NotWhole { missing: usize, spoilt: usize },
    #[error(
        "there is no folder `blobs` in {}: name the folder that `standpipe-hub backup --to` wrote to", path.display()
    )]
    NoSpare { path: PathBuf },
    #[error(
        "root would make files here that the hub cannot use: {} is {account}'s. Put `sudo -u {account}` before the command",
        path.display()
    )]
    AsRoot { path: PathBuf, account: String },
    #[error(
        "--redmine needs an address that begins with http:// or https://, without a name and a password in it"
    )]
    NoTracker,
    #[error("reading the key of --redmine-key-file {}: {source}", path.display())]
    NoKey { path: PathBuf, source: io::Error },
    #[error("what --redmine-key-file {} holds is no key of a tracker", path.display())]
    WrongKey { path: PathBuf },
    #[error("preparing connections to the tracker: {0}")]
    NoConnections(#[from] Broken),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(
        "the backup is whole but for {} that the hub's disk does not give any more. {spoilt} {} spoilt: tablets that still \
         have them send them again by themselves. {} missing, cannot be read, or came again meanwhile: see that the disk is \
         there and sound, then run verify --withdraw for those that stay away", photos(*lost), is(*spoilt),
        the_other(lost - spoilt)
    )]
    Lost { lost: usize, spoilt: usize },
    #[error(
        "{} of the backup {} missing or spoilt; run backup --again into it, which copies anew what the hub still has",
        photos(*damaged), is(*damaged)
    )]
    NotWholeBackup { damaged: usize },
    #[error(
        "a restore into {} did not end: run it again before anything else, it goes on where it was", path.display()
    )]
    Unfinished { path: PathBuf },
    #[error(
        "the database of the office in {} was moved to PostgreSQL: name it with --database. Where the move was \
         interrupted, run migrate once more", path.display()
    )]
    Moved { path: PathBuf },
    #[error(
        "the data folder {} holds an office, and the database holds none: move it there first, with `standpipe-hub migrate`",
        path.display()
    )]
    NotMovedYet { path: PathBuf },
    #[error(
        "the office of the data folder {} was moved to another database than this one, which holds none: check its address",
        path.display()
    )]
    MovedElsewhere { path: PathBuf },
    #[error(
        "the office of {} was moved already: start the hub with --database, and the address of that database",
        path.display()
    )]
    MovedAlready { path: PathBuf },
    #[error(
        "the data folder {} holds an office in its file hub.db, and the database holds one too: start the hub without \
         --database, or name the folder whose office was moved there",
        path.display()
    )]
    TwoOffices { path: PathBuf },
    #[error(
        "an office moves between a data folder and a database: of --from and --to one is to be a folder, and one a database"
    )]
    TwoServers,
    #[error(
        "name the data folder with --from, or for the way back with --to, and the database with --database"
    )]
    MoveWhere,
    #[error("the database holds no office: check its address")]
    NoOfficeThere,
    #[error(
        "{} holds an office in its file hub.db already, of which it is not certain that it was moved to PostgreSQL",
        path.display()
    )]
    OfficeThere { path: PathBuf },
    #[error("there are no photos in {}: name the hub's own data folder with --data", path.display())]
    NoPhotos { path: PathBuf },
    #[error(
        "the database speaks of photos, and there are none in {}: name the hub's own data folder with --data; where they are \
         lost for good, make the folder `blobs` in it and run verify --withdraw, so that tablets send again what they have",
        path.display()
    )]
    PhotosElsewhere { path: PathBuf },
    #[error(transparent)]
    Over(#[from] Over),
    #[error("there is no office in {}: name its data folder with --from", path.display())]
    NothingToMove { path: PathBuf },
    #[error(
        "this is for a database of PostgreSQL: name it with --database; a folder is restored by `restore`"
    )]
    NotAServer,
    #[error(
        "a hub whose database is PostgreSQL is backed up, and restored, by that server's own means (pg_dump, say) and \
         with a copy of the data folder, which holds its photos"
    )]
    ServersOwn,
}

impl Cli {
    /// Does what was asked.
    pub async fn run(self) -> Result<(), Failed> {
        let Self { data, database, command } = self;
        let place = Place { data, database };
        match command {
            Command::Serve(options) => serve::serve(&place, options).await,
            Command::User(UserCommand::SetPassword { name }) => {
                place.with_store(async |kept| set_password(kept.store(), &name).await).await
            }
            Command::Tablet(TabletCommand::Enrol { name, person }) => {
                place.with_store(async |kept| enrol(kept.store(), name, &person).await).await
            }
            Command::Backup(options) => backup::make(place.in_folder()?, options).await,
            Command::Restore(options) => backup::restore(place.in_folder()?, options).await,
            Command::Restored => migrate::restored(&place).await,
            Command::Migrate(options) => migrate::migrate(options, place.database).await,
            Command::Verify { backup: Some(folder), .. } => backup::verify(&folder).await,
            Command::Verify { withdraw, from, backup: None } => {
                // Of a database that lies elsewhere, every photo would count as missing in any other folder.
                if place.database.is_some() && !place.data.join("blobs").is_dir() {
                    return Err(Failed::NoPhotos { path: place.data });
                }
                kept::as_owner(&place.data)?;
                let how = check::How { from, withdraw };
                place.with_store(async |kept| check::verify(&place.data, kept, &how).await).await
            }
        }
    }
}

/// Keeps others from serving the same folder, until the file is dropped.
fn lock(data: &Path) -> Result<File, Failed> {
    let path = data.to_owned();
    let file =
        File::create(data.join("lock")).map_err(|source| Failed::Folder { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failed::InUse { path }),
        Err(std::fs::TryLockError::Error(source)) => Err(Failed::Folder { path, source }),
    }
}

async fn set_password(store: &dyn Store, name: &str) -> Result<(), Failed> {
    let is_fresh = io::stdin().is_terminal();
    let password = if is_fresh { Password::generate(&RealWorld) } else { typed()? };
    founding::set_password(store, Arc::new(RealWorld), name, &password).await?;
    if is_fresh {
        say(&format!("the password of {name} is now {}", password.reveal()));
    }
    Ok(())
}

fn typed() -> Result<Password, Failed> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(Failed::Input)?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err(Failed::EmptyPassword),
        password => Ok(Password::new(password)),
    }
}

async fn enrol(store: &dyn Store, name: String, person: &str) -> Result<(), Failed> {
    let person = find(store, person).await?;
    let code = Code::generate(&RealWorld);
    let expires = Millis(RealWorld.now().0 + CODE_LASTS);
    store.offer(Enrolment { code: code.hash(), name, person, expires }).await?;
    eprintln!("Type this code into the new tablet within fifteen minutes; it works once:");
    say(&code.reveal());
    Ok(())
}

async fn find(store: &dyn Store, called: &str) -> Result<PersonId, Failed> {
    let people = store.directory().await?.people;
    let fits: Vec<_> =
        people.iter().filter(|person| person.name == called || person.id.to_string() == called).collect();
    if let [person] = fits[..] {
        return Ok(person.id);
    }
    let (called, found) = (called.to_owned(), fits.len());
    let among = if fits.is_empty() { people.iter().collect() } else { fits };
    let named = among.iter().map(|person| format!("{} ({})", person.id, person.name));
    let named = named.collect::<Vec<_>>().join(", ");
    Err(match found {
        0 if people.is_empty() => Failed::NobodyAtAll { called },
        0 => Failed::NoSuchPerson { called, people: named },
        _ => Failed::WhichPerson { called, found, people: named },
    })
}

/// `1 photo is`, `2 photos are`.
fn photos_are(number: usize) -> String {
    format!("{} {}", photos(number), is(number))
}

/// `The other 1 is`, `The other 2 are`.
fn the_other(number: usize) -> String {
    format!("The other {number} {}", is(number))
}

/// A line on standard output. Whoever closed it does not want to know; that is no reason to stop.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
