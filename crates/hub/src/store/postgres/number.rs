//! Question marks, numbered as PostgreSQL wants them.

/// `?` and `?1` as `$1`. What stands in no statement of ours is a question mark in a text, so none is looked for.
pub(super) fn numbered(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut parts = sql.split('?');
    numbered.extend(parts.next());
    for (at, part) in (1..).zip(parts) {
        numbered.push('$');
        if !part.starts_with(|first: char| first.is_ascii_digit()) {
            numbered.push_str(&u32::to_string(&at));
        }
        numbered.push_str(part);
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn question_marks_are_numbered_in_their_order_or_as_they_say() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT a FROM b WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = $1 AND d = $2"),
            ("?", "$1"),
            ("WHERE ?1 IS NULL OR a = ?1 LIMIT ?2", "WHERE $1 IS NULL OR a = $1 LIMIT $2"),
            ("VALUES (?, ?)", "VALUES ($1, $2)"),
        ] {
            assert_eq!(numbered(sql), expected);
        }
    }
}
