//! A library that panics on an unexpected crystal must not take the caller's thread down.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `call` returns, or the message of its panic; nothing is printed.
///
/// # Errors
/// The message of the panic.
pub fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("it panicked").to_owned()
    })
}

/// Puts a hook before the one that prints panics: those of a guarded call are errors, which the caller reports.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                print(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(guarded(|| 7), Ok(7));
        let empty: Vec<u8> = Vec::new();
        let words = guarded(|| empty[3]).unwrap_err();
        assert!(words.contains("index out of bounds"), "{words}");
        assert_eq!(guarded(|| -> () { panic!("plain") }), Err("plain".to_owned()));
        // A guarded call within a guarded call leaves the outer one guarded.
        assert!(guarded(|| (guarded(|| -> () { panic!("inner") }), GUARDED.get())).unwrap().1);
        assert!(!GUARDED.get());
    }
}
