//! The program: everything is in the library, see [`hollandite::cli`].

/// Freed blocks are kept, not returned to the kernel: tensors of a few megabytes come and go with each graph.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hollandite::cli::main()
}
