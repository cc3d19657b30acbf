//! New sequences: at random, and from those that reached something.

use crate::action::Action;
use crate::random::Random;
use crate::world::WorldPlan;

/// The longest sequence.
pub const MAX_LENGTH: usize = 96;

/// An input: one in five at random, the others from the corpus, if there is one.
#[must_use]
pub fn next(plan: &WorldPlan, corpus: &[Vec<Action>], random: &mut Random) -> Vec<Action> {
    if corpus.is_empty() || random.chance(20) {
        return sequence(plan, random);
    }
    let mut actions = chosen(corpus, random).to_vec();
    for _ in 0..=random.below(5) {
        change(plan, &mut actions, corpus, random);
    }
    actions.truncate(MAX_LENGTH);
    if actions.is_empty() {
        return sequence(plan, random);
    }
    actions
}

fn sequence(plan: &WorldPlan, random: &mut Random) -> Vec<Action> {
    let length = 8 + random.index(MAX_LENGTH / 2);
    (0..length).map(|_| Action::random(plan, random)).collect()
}

/// Half the time one of the latest quarter: what reached something lately leads on most.
fn chosen<'a>(corpus: &'a [Vec<Action>], random: &mut Random) -> &'a [Action] {
    let latest = (corpus.len() / 4).max(1);
    let index = if random.chance(50) {
        corpus.len() - 1 - random.index(latest)
    } else {
        random.index(corpus.len())
    };
    &corpus[index]
}

fn change(
    plan: &WorldPlan,
    actions: &mut Vec<Action>,
    corpus: &[Vec<Action>],
    random: &mut Random,
) {
    let place = random.index(actions.len());
    match random.below(12) {
        0 | 1 => {
            let place = random.index(actions.len() + 1);
            actions.insert(place, Action::random(plan, random));
        }
        2 => {
            // goes on beyond its end
            for _ in 0..=random.below(8) {
                actions.push(Action::random(plan, random));
            }
        }
        3 if !actions.is_empty() => {
            actions.remove(place);
        }
        4 if !actions.is_empty() => {
            let copy = actions[place];
            let to = random.index(actions.len() + 1);
            actions.insert(to, copy);
        }
        5 if !actions.is_empty() => {
            // a stretch again, right behind itself
            let end = (place + 1 + random.index(6)).min(actions.len());
            let stretch = actions[place..end].to_vec();
            actions.splice(end..end, stretch);
        }
        6 | 7 => {
            // a start of this one, an end of another
            let other = chosen(corpus, random);
            actions.truncate(place);
            actions.extend(&other[random.index(other.len())..]);
        }
        8 if !actions.is_empty() => {
            let other = random.index(actions.len());
            actions.swap(place, other);
        }
        _ => {
            if let Some(action) = actions.get_mut(place) {
                *action = action.changed(random);
            }
        }
    }
}
