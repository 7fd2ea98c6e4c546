//! Text made findable, also by two Chinese characters.
//!
//! A full-text index splits on spaces, and Chinese has none; an index of three letters misses names of two
//! characters. So each text is stored as its overlapping pairs, and a query as a phrase of pairs: that finds every
//! substring of two characters or more, in Chinese names and in tags alike.

/// The overlapping pairs of `text`, separated by spaces, after folding: letters and digits only, in lower case.
///
/// ```
/// assert_eq!(standpipe_domain::search::pairs("消火栓 B4-01"), "消火 火栓 栓b b4 40 01");
/// ```
pub fn pairs(text: &str) -> String {
    let folded = fold(text);
    let pairs: Vec<String> = folded.windows(2).map(String::from_iter).collect();
    if pairs.is_empty() { folded.into_iter().collect() } else { pairs.join(" ") }
}

/// A full-text phrase for `query`, to be matched against stored [`pairs`], or `None` for a query without a letter or
/// digit. One character alone matches as a prefix.
///
/// ```
/// assert_eq!(standpipe_domain::search::phrase("消火栓").as_deref(), Some("\"消火 火栓\""));
/// assert_eq!(standpipe_domain::search::phrase("栓").as_deref(), Some("\"栓\"*"));
/// assert_eq!(standpipe_domain::search::phrase("\" OR --").as_deref(), Some("\"or\""));
/// assert_eq!(standpipe_domain::search::phrase(" - "), None);
/// ```
pub fn phrase(query: &str) -> Option<String> {
    let pairs = pairs(query);
    match pairs.chars().count() {
        0 => None,
        // Quotes cannot occur inside: folding keeps letters and digits only.
        1 => Some(format!("\"{pairs}\"*")),
        _ => Some(format!("\"{pairs}\"")),
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
