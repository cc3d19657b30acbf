//! The terminal view, drawn into memory and compared with what was looked at. `UPDATE_SNAPSHOTS=1` writes them anew.

use std::path::PathBuf;
use std::time::Duration;

use breakwater_operator::status::{ServedStatus, Status};
use breakwater_operator::view::{Key, Tab, ViewState, draw};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{NOW, sample};

fn drawn(served: Option<&ServedStatus>, state: &ViewState, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, served, state)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    (0..height)
        .map(|y| {
            let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
            format!("{}\n", line.trim_end())
        })
        .collect()
}

fn served(status: Status) -> ServedStatus {
    ServedStatus::new(status, NOW, Duration::from_secs(60))
}

fn compare(name: &str, found: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/operator/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{name} differs from {}:\n{found}",
        file.display()
    );
}

#[test]
fn every_section_looks_as_it_did() {
    let filled = served(sample::filled(NOW));
    for (size, name) in [((80, 24), "80x24"), ((140, 40), "140x40")] {
        for tab in Tab::ALL {
            let state = ViewState {
                tab,
                ..ViewState::default()
            };
            compare(
                &format!("{tab:?}-{name}").to_lowercase(),
                &drawn(Some(&filled), &state, size),
            );
        }
    }
}

#[test]
fn the_chosen_row_is_in_view_with_its_whole_address() {
    let filled = served(sample::filled(NOW));
    let state = ViewState {
        row: 23,
        ..ViewState::default()
    };
    let text = drawn(Some(&filled), &state, (80, 24));
    let account = filled.status.positions[23].account.to_string();
    assert!(
        text.contains(&account) && text.contains("waits: healthy"),
        "{text}"
    );
    // A list that became shorter, or a number from nowhere.
    let state = ViewState {
        row: usize::MAX,
        ..ViewState::default()
    };
    assert!(drawn(Some(&filled), &state, (80, 24)).contains("0xa818…1878"));
}

#[test]
fn before_the_first_answer_and_after_the_last_it_says_so() {
    assert!(drawn(None, &ViewState::default(), (80, 24)).contains("Reading the keeper's status"));
    let state = ViewState {
        trouble: Some(
            "no answer from http://127.0.0.1:9464/status.json: connection refused".to_owned(),
        ),
        ..ViewState::default()
    };
    assert!(drawn(None, &state, (80, 24)).contains("connection refused"));
    let filled = served(sample::filled(NOW));
    let text = drawn(Some(&filled), &state, (80, 24));
    assert!(
        text.contains("NO ANSWER, old figures") && text.contains("19482113"),
        "{text}"
    );
}

#[test]
fn a_keeper_that_saw_nothing_shows_that() {
    let empty = served(sample::empty(NOW));
    for (tab, words) in [
        (Tab::Positions, "No position with debt is known."),
        (Tab::Market, "No collateral is known yet."),
        (Tab::Bids, "Nothing is pending."),
        (Tab::Missed, "None was missed."),
        (Tab::Keeper, "not ready: no block has been seen yet"),
    ] {
        let text = drawn(
            Some(&empty),
            &ViewState {
                tab,
                ..ViewState::default()
            },
            (80, 24),
        );
        assert!(
            text.contains(words) && text.contains("NOT READY: no block") && text.contains("(+2)"),
            "{text}"
        );
    }
}

#[test]
fn nothing_of_it_reaches_the_terminal_as_a_command() {
    let mut status = sample::troubled(NOW);
    let attack = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}txt".to_owned();
    status.keeper.debt_symbol = attack.clone();
    status.warnings[0].text = attack.clone();
    status.positions[0].why_not = Some(attack.clone());
    status.missed[0].detail = attack.clone();
    status.rpc[0].name = attack.clone();
    status.tasks[1].name = attack;
    let troubled = served(status);
    for tab in Tab::ALL {
        for size in [(80, 24), (140, 40), (20, 6), (1, 1)] {
            let text = drawn(
                Some(&troubled),
                &ViewState {
                    tab,
                    ..ViewState::default()
                },
                size,
            );
            assert!(
                !text
                    .chars()
                    .any(|letter| (letter.is_control() && letter != '\n') || letter == '\u{202e}'),
                "{text:?}"
            );
        }
    }
}

#[test]
fn keys_turn_and_move_and_quit() {
    let event = |code| Key::read(KeyEvent::new(code, KeyModifiers::NONE));
    let mut state = ViewState::default();
    let mut press = |code, rows| {
        let goes_on = state.press(event(code).unwrap(), rows);
        (goes_on, state.tab, state.row)
    };
    assert_eq!(press(KeyCode::Down, 24), (true, Tab::Positions, 1));
    assert_eq!(press(KeyCode::PageDown, 24), (true, Tab::Positions, 11));
    assert_eq!(press(KeyCode::PageDown, 15), (true, Tab::Positions, 14));
    assert_eq!(press(KeyCode::Up, 24), (true, Tab::Positions, 13));
    assert_eq!(press(KeyCode::Home, 24), (true, Tab::Positions, 0));
    assert_eq!(press(KeyCode::Up, 24), (true, Tab::Positions, 0));
    assert_eq!(press(KeyCode::Down, 0), (true, Tab::Positions, 0));
    assert_eq!(press(KeyCode::Tab, 24), (true, Tab::Market, 0));
    assert_eq!(press(KeyCode::Left, 24), (true, Tab::Positions, 0));
    assert_eq!(press(KeyCode::BackTab, 24), (true, Tab::Keeper, 0));
    assert_eq!(press(KeyCode::Right, 24), (true, Tab::Positions, 0));
    assert!(!press(KeyCode::Char('q'), 24).0);
    assert_eq!(event(KeyCode::Char('x')), None);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(Key::read(interrupt), Some(Key::Quit));
}

#[test]
fn a_position_of_several_collaterals_has_a_distance_and_no_price() {
    let mut status = sample::filled(NOW);
    status.positions.truncate(1);
    status.positions[0].liquidation_price = None;
    status.positions[0].distance = Some(0.043_2);
    let view = ViewState::default();
    let text = drawn(Some(&served(status)), &view, (140, 40));
    let (_, row) = text.split_once("Falls at").unwrap();
    let row = row.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    let place = cells.iter().position(|cell| *cell == "4.32%");
    assert_eq!(cells[place.unwrap() + 1], "–", "{row}");
}
