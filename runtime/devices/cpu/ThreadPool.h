// Threads that share the programs of a grid.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace inlay {

/// Runs loops on several threads, the calling one among them. Several threads may run loops at
/// once; running one allocates nothing.
class ThreadPool {
public:
  /// Runs the part begin to end (exclusive) of a loop; called from several threads at once, each of
  /// which has a place of its own in that loop, from 0 to below `maxThreads`.
  using Body = void (*)(void *data, uint32_t place, uint64_t begin, uint64_t end);

  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Starts threads until there are `count` besides the callers; stops early if the system refuses.
  void ensureWorkers(uint32_t count);
  uint32_t numWorkers() const { return numWorkers_.load(std::memory_order_relaxed); }
  /// Runs 0 to `count` in chunks handed out as threads come for them, on at most `maxThreads`
  /// threads. Returns when all is done.
  void run(uint64_t count, uint64_t chunk, uint32_t maxThreads, Body body, void *data);

private:
  struct Job {
    Body body;
    void *data;
    uint64_t count, chunk;
    std::atomic<uint64_t> next{0};
    uint32_t openPlaces;                // 1 to this are free for workers; guarded by mutex_
    std::atomic<uint32_t> numActive{0}; // workers at it; grows under mutex_ while the job is listed
    Job *nextJob = nullptr;             // guarded by mutex_
  };
  static void work(Job &job, uint32_t place);
  void workerLoop();
  Job *findOpenJob();
  void removeJob(Job &job);

  std::mutex mutex_;
  std::condition_variable jobAdded_, workerLeft_;
  std::atomic<uint64_t> numJobsAdded_{0};
  std::atomic<uint32_t> numWorkers_{0};
  Job *jobs_ = nullptr;
  bool isStopping_ = false;
  std::vector<pthread_t> workers_;
};

/// Threads to use by default: INLAY_NUM_THREADS, or the processors this process may run on.
uint32_t defaultNumThreads();

} // namespace inlay
