//! The dashboard's built files, as they were when the binary was built.
//!
//! The page itself is made from `dashboard/` by Vite. Where that was not done, there is one page instead that says so
//! ([`BUILT`] is false then). Nothing is read at run time, so no path can lead out of the table.

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path below the dashboard's root, without a leading `/`.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Tells its contents from others; not quoted.
    pub tag: &'static str,
    /// Whether its name changes with its contents, so that whoever has it never needs to ask again.
    pub immutable: bool,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same compressed by Brotli, where that is shorter.
    pub br: Option<&'static [u8]>,
    /// The same compressed by gzip, where that is shorter.
    pub gz: Option<&'static [u8]>,
}

/// Whether the dashboard was there when the binary was built.
pub const BUILT: bool = embedded::BUILT;
/// The page that is shown first.
pub const INDEX: &str = "index.html";
/// The page to which identity providers send people back.
pub const CALLBACK: &str = "callback.html";

/// All files, in the order of their paths.
#[must_use]
pub fn files() -> &'static [File] {
    embedded::FILES
}

/// The file at a path, which has to be spelt exactly as it is; nothing is decoded or resolved.
#[must_use]
pub fn file(path: &str) -> Option<&'static File> {
    let at = files().binary_search_by(|file| file.path.cmp(path)).ok()?;
    files().get(at)
}

mod embedded {
    use super::File;

    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_is_always_there() {
        let index = file(INDEX).unwrap();
        assert!(index.media_type.starts_with("text/html") && !index.immutable);
        assert_eq!(BUILT, file(CALLBACK).is_some());
    }

    #[test]
    fn only_exact_paths_lead_to_files() {
        for path in [
            "",
            "/index.html",
            "./index.html",
            "assets/../index.html",
            "INDEX.HTML",
            "index%2ehtml",
        ] {
            assert!(file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn pages_have_nothing_inline() {
        for page in files()
            .iter()
            .filter(|file| file.media_type.starts_with("text/html"))
        {
            let text = std::str::from_utf8(page.plain).unwrap();
            assert!(
                !text.contains("<style") && !text.contains(" style=") && !text.contains(" onload=")
            );
            let scripts = text.matches("<script").count();
            assert_eq!(
                scripts,
                text.matches("<script type=\"module\" crossorigin src=\"/ui/assets/")
                    .count()
            );
        }
    }

    #[test]
    fn who_has_no_dashboard_is_told_how_to_build_it() {
        let page = include_str!("../not-built/index.html");
        assert!(page.contains("built without its dashboard") && page.contains("npm run build"));
        assert!(!page.contains("<script") && !page.contains("<style") && !page.contains(" style="));
        assert!(page.contains("href=\"/ui/page.css\""));
        assert_eq!(file("page.css").is_some(), !BUILT);
    }

    #[test]
    fn all_of_it_is_small() {
        const MOST_BYTES: usize = 300_000;
        let total: usize = files()
            .iter()
            .map(|file| file.br.unwrap_or(file.plain).len())
            .sum();
        assert!(total < MOST_BYTES, "{total}");
    }
}
