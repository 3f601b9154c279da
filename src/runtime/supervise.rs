//! Tasks that nobody waits for, watched: a panic in one of them is counted and told, never a quiet
//! end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle as Tokio;
use tokio::task::JoinHandle;

use crate::engine::cause::Cause;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
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
    pause: Duration,
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
            pause: PAUSE,
        }
    }

    /// A supervisor without anybody to tell.
    #[cfg(test)]
    pub fn alone() -> Self {
        Self {
            tokio: Tokio::current(),
            on_panic: Arc::new(|_| {}),
            pause: PAUSE,
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
                tokio::time::sleep(supervisor.pause).await;
                inside = AbortOnDrop(supervisor.spawn_bare(begin()));
            }
        })
    }

    fn spawn_bare(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.tokio.spawn(task)
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
        trouble: SelfIncident::new(Cause::Panic, ""),
        text: format!("the router's task `{task}` had an internal error; the log has its panic")
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::runtime::turn::Job;
    use crate::store::{MemoryStore, Partition};

    fn supervisor() -> (Supervisor, Handle, Arc<AtomicUsize>) {
        let store = Arc::new(MemoryStore::new());
        let handle = Handle::new(store, Partition::default(), Arc::default());
        let panics = Arc::new(AtomicUsize::new(0));
        let counted = panics.clone();
        let count = move |_: &'static str| {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let tokio = Tokio::current();
        let supervisor = Supervisor::new(tokio, handle.clone(), Arc::new(count));
        (supervisor, handle, panics)
    }

    fn raised(handle: &Handle) -> Vec<String> {
        let commands = handle.take(Duration::ZERO).commands.into_iter();
        commands
            .map(|command| match command.job {
                Job::Input(Input::Raise { text, .. }) => text.to_string(),
                _ => panic!("only troubles are raised here"),
            })
            .collect()
    }

    #[tokio::test]
    async fn a_panic_in_a_task_is_counted_and_raised_and_an_end_is_not() {
        let (supervisor, handle, panics) = supervisor();
        let ended = supervisor.spawn("good", async {});
        assert!(ended.await.unwrap());
        assert_eq!(raised(&handle), Vec::<String>::new());
        let ended = supervisor.spawn("bad", async { panic!("a fault for this test") });
        assert!(!ended.await.unwrap());
        assert_eq!(panics.load(Ordering::Relaxed), 1);
        let raised = raised(&handle);
        assert!(raised[0].contains("`bad`"), "{raised:?}");
    }

    #[tokio::test]
    async fn a_task_that_must_not_end_begins_again_after_a_panic() {
        let (mut supervisor, _handle, panics) = supervisor();
        supervisor.pause = Duration::ZERO;
        let begun = Arc::new(AtomicUsize::new(0));
        let runs = begun.clone();
        let kept = supervisor.keep("rounds", move || {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(run >= 2, "a fault for this test");
            }
        });
        assert!(kept.await.is_ok());
        assert_eq!(begun.load(Ordering::Relaxed), 3);
        assert_eq!(panics.load(Ordering::Relaxed), 2);
    }
}
