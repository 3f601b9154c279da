//! Tasks that nobody waits for, watched: a panic in one of them is counted and told, never a quiet
//! end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle as Tokio;
use tokio::task::JoinHandle;

use crate::engine::incident::Trouble;
use crate::engine::input::Input;
use crate::engine::trouble::Cause;
use crate::runtime::handle::Handle;

/// A task that must not end begins again so long after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Told of each panic, with the name of the task.
pub type OnPanic = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Starts tasks and watches them.
#[derive(Clone)]
pub struct Supervisor {
    tokio: Tokio,
    on_panic: OnPanic,
}

impl Supervisor {
    /// A supervisor that raises a self-incident for each panic and tells `count` of it.
    pub fn new(tokio: Tokio, handle: Handle, count: OnPanic) -> Self {
        let on_panic = move |task: &'static str| {
            count(task);
            handle.tell(raise(task));
        };
        Self {
            tokio,
            on_panic: Arc::new(on_panic),
        }
    }

    /// A task that ends by itself. Whether it came to its end.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<bool> {
        let (task, on_panic) = (self.tokio.spawn(task), self.on_panic.clone());
        self.tokio.spawn(async move {
            let is_panic = task.await.is_err_and(|error| error.is_panic());
            if is_panic {
                on_panic(name);
            }
            !is_panic
        })
    }

    /// A task that ends only with the process: after a panic it begins again.
    pub fn keep<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        begin: impl Fn() -> F + Send + Sync + 'static,
    ) -> JoinHandle<()> {
        let supervisor = self.clone();
        self.tokio.spawn(async move {
            // Aborting this task ends the one inside of it.
            let mut inside = AbortOnDrop(supervisor.spawn_bare(begin()));
            while (&mut inside.0).await.is_err_and(|error| error.is_panic()) {
                (supervisor.on_panic)(name);
                tokio::time::sleep(PAUSE).await;
                inside = AbortOnDrop(supervisor.spawn_bare(begin()));
            }
        })
    }

    fn spawn_bare(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.tokio.spawn(task)
    }

    /// Runs what must not fail. `None` if it did, which is told like the panic of a task.
    pub fn guard<T>(&self, name: &'static str, run: impl FnOnce() -> T) -> Option<T> {
        let result = std::panic::catch_unwind(AssertUnwindSafe(run)).ok();
        if result.is_none() {
            (self.on_panic)(name);
        }
        result
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn raise(task: &str) -> Input {
    Input::Raise {
        trouble: Trouble {
            cause: Cause::Panic,
            subject: "".into(),
        },
        text: format!("the task `{task}` of the router failed inside; the log has its panic")
            .into(),
    }
}
