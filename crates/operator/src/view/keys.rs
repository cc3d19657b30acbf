//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Tab, ViewState};

/// Rows that a page key moves.
const PAGE: usize = 10;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Leave.
    Quit,
    /// The section so many places on, around the end.
    Turn(isize),
    /// So many rows down, or up where negative.
    Move(isize),
    /// To the first row.
    Top,
}

impl Key {
    /// What an event of the terminal asks for, if anything.
    #[must_use]
    pub fn read(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let page = isize::try_from(PAGE).unwrap_or(isize::MAX);
        Some(match event.code {
            KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => Self::Quit,
            KeyCode::Char('q') | KeyCode::Esc => Self::Quit,
            KeyCode::Tab | KeyCode::Right => Self::Turn(1),
            KeyCode::BackTab | KeyCode::Left => Self::Turn(-1),
            KeyCode::Down => Self::Move(1),
            KeyCode::Up => Self::Move(-1),
            KeyCode::PageDown => Self::Move(page),
            KeyCode::PageUp => Self::Move(-page),
            KeyCode::Home => Self::Top,
            _ => return None,
        })
    }
}

impl ViewState {
    /// Does what a key asks for; `rows` is how many rows the section has. Says whether to go on.
    pub fn press(&mut self, key: Key, rows: usize) -> bool {
        match key {
            Key::Quit => return false,
            Key::Turn(by) => {
                let count = isize::try_from(Tab::ALL.len()).unwrap_or(1);
                let at = isize::try_from(self.tab.place()).unwrap_or(0);
                let next = (at + by).rem_euclid(count);
                self.tab = Tab::ALL[usize::try_from(next).unwrap_or(0)];
                self.row = 0;
            }
            Key::Move(by) => {
                self.row = self
                    .row
                    .saturating_add_signed(by)
                    .min(rows.saturating_sub(1));
            }
            Key::Top => self.row = 0,
        }
        true
    }
}
