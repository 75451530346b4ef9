//! The client against providers that play by a script, on a clock that does not run by itself.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod attempts;
mod budgets;
mod clocks;
mod endings;
mod joining;
mod keeping;
mod lanes;
mod pictures;
mod slots;
mod support;
mod taking;

#[test]
fn a_question_can_be_asked_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let desk = support::DeskBuilder::default().build();
    let asked = support::ask("a");
    sendable(desk.client.ask(&asked));
}
mod wrong;
