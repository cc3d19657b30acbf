//! Comma-separated values whose columns are found by name, with errors that say where.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::MarketError;
use crate::request::{AMOUNTS, MAX_FILE_BYTES};

/// A header and the text under it. Rows are parsed as they are visited.
pub(crate) struct Table {
    file: PathBuf,
    text: String,
    header_row: u64,
    columns: Vec<String>,
}

/// One row while it is visited.
pub(crate) struct Row<'a> {
    table: &'a Table,
    record: &'a csv::StringRecord,
    /// Line in the file, from 1.
    pub line: u64,
}

impl Table {
    /// Reads a file whole.
    pub fn read(path: &Path) -> Result<Self, MarketError> {
        let file = || path.to_path_buf();
        let unreadable = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => MarketError::Missing { file: file() },
            _ => MarketError::Unreadable {
                file: file(),
                source,
            },
        };
        // Asked before opening: opening a pipe nobody writes to would wait for ever.
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            let found = if metadata.is_dir() {
                "a directory"
            } else {
                "neither a file nor a directory"
            };
            return Err(MarketError::NotAFile {
                file: file(),
                found,
            });
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(MarketError::TooLarge {
                file: file(),
                bytes: metadata.len(),
                limit: MAX_FILE_BYTES,
            });
        }
        let mut bytes = Vec::new();
        fs::File::open(path)
            .and_then(|opened| opened.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        Self::parse(path, bytes)
    }

    /// Takes bytes that are already in memory; `file` names them in errors.
    pub fn parse(file: &Path, bytes: Vec<u8>) -> Result<Self, MarketError> {
        let file = file.to_path_buf();
        let mut text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let row = 1 + error.as_bytes()[..offset]
                    .iter()
                    .filter(|&&byte| byte == b'\n')
                    .count() as u64;
                return Err(MarketError::NotText { file, row, offset });
            }
        };
        // Spreadsheets put a byte order mark before the first column's name.
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        text.truncate(text.trim_end().len());
        // The parser ends a row at the carriage return and so would count the line feed towards the next one.
        if text.contains("\r\n") {
            text = text.replace("\r\n", "\n");
        }
        if text.is_empty() {
            return Err(MarketError::Empty { file });
        }
        // A blank line would be passed over by the parser and put every later line number in doubt.
        if let Some(blank) = text.lines().position(|line| line.trim().is_empty()) {
            return Err(MarketError::Malformed {
                file,
                row: blank as u64 + 1,
                column: "the row".into(),
                found: "a blank line".into(),
                expected: "a row".into(),
            });
        }
        let mut table = Self {
            file,
            text,
            header_row: 1,
            columns: Vec::new(),
        };
        let mut header = csv::StringRecord::new();
        let mut reader = table.reader();
        let more = reader.read_record(&mut header).is_ok()
            && reader
                .read_record(&mut csv::StringRecord::new())
                .is_ok_and(|more| more);
        table.columns = header.iter().map(|name| name.trim().to_owned()).collect();
        if !more {
            return Err(MarketError::OnlyHeader {
                file: table.file,
                row: table.header_row,
            });
        }
        Ok(table)
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(self.text.as_bytes())
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Line of the first row under the header.
    pub fn first_row(&self) -> u64 {
        self.header_row + 1
    }

    /// Name of a column, as the header spells it.
    pub fn name(&self, column: usize) -> &str {
        &self.columns[column]
    }

    /// Index of the first of `names` that is a column, letter case aside.
    pub fn find(&self, names: &[&str]) -> Result<Option<usize>, MarketError> {
        for name in names {
            let mut found = self
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.eq_ignore_ascii_case(name));
            if let Some((index, _)) = found.next() {
                return match found.next() {
                    None => Ok(Some(index)),
                    Some(_) => Err(MarketError::DuplicateColumn {
                        file: self.file.clone(),
                        row: self.header_row,
                        column: (*name).to_owned(),
                    }),
                };
            }
        }
        Ok(None)
    }

    /// Like [`find`](Self::find), but the column must be there.
    pub fn column(&self, names: &[&str]) -> Result<usize, MarketError> {
        self.find(names)?.ok_or_else(|| MarketError::MissingColumn {
            file: self.file.clone(),
            row: self.header_row,
            column: names.join(" or "),
            found: shorten(&self.columns.join(",")),
        })
    }

    /// Visits every row under the header, in order.
    pub fn visit(
        &self,
        mut each: impl FnMut(&Row<'_>) -> Result<(), MarketError>,
    ) -> Result<(), MarketError> {
        let mut reader = self.reader();
        let mut record = csv::StringRecord::new();
        let mut line = 0;
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.whole_row(line + 1, &error.to_string(), "a row")),
            }
            line = record.position().map_or(line + 1, csv::Position::line);
            if line == self.header_row {
                continue;
            }
            if record.len() != self.columns.len() {
                return Err(self.whole_row(
                    line,
                    &format!("{} fields", record.len()),
                    &format!("{}, as in the header", self.columns.len()),
                ));
            }
            each(&Row {
                table: self,
                record: &record,
                line,
            })?;
        }
    }

    fn whole_row(&self, row: u64, found: &str, expected: &str) -> MarketError {
        MarketError::Malformed {
            file: self.file.clone(),
            row,
            column: "the row".into(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

impl Row<'_> {
    /// The file that the row is in.
    pub fn file(&self) -> &Path {
        &self.table.file
    }

    /// The text of a cell.
    pub fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// An error about a cell of this row.
    pub fn malformed(&self, column: usize, expected: impl Into<String>) -> MarketError {
        let cell = self.text(column);
        MarketError::Malformed {
            file: self.table.file.clone(),
            row: self.line,
            column: format!("column {}", self.table.columns[column]),
            found: if cell.is_empty() {
                "nothing".into()
            } else {
                shorten(cell)
            },
            expected: expected.into(),
        }
    }

    /// A number above zero, within [`AMOUNTS`].
    pub fn positive(&self, column: usize) -> Result<f64, MarketError> {
        self.number(column, "a number above zero (1e-30 to 1e30)", |value| {
            AMOUNTS.contains(&value)
        })
    }

    /// Zero, or a number within [`AMOUNTS`].
    pub fn amount(&self, column: usize) -> Result<f64, MarketError> {
        self.number(column, "zero or a number above (1e-30 to 1e30)", |value| {
            value == 0.0 || AMOUNTS.contains(&value)
        })
    }

    fn number(
        &self,
        column: usize,
        expected: &str,
        accepts: impl Fn(f64) -> bool,
    ) -> Result<f64, MarketError> {
        match self.text(column).parse::<f64>() {
            Ok(value) if accepts(value) => Ok(value),
            _ => Err(self.malformed(column, expected)),
        }
    }
}

/// Keeps an error readable whatever was found in the file.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    if text.chars().count() <= LONGEST {
        text.to_owned()
    } else {
        text.chars().take(LONGEST).chain("…".chars()).collect()
    }
}
