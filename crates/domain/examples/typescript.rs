//! Writes the TypeScript types to `ui/kit/src/generated/domain.ts`.

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/kit/src/generated/domain.ts");
    if let Some(folder) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, standpipe_domain::typescript::declarations())
}
