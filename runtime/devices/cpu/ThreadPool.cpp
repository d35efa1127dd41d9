#include "runtime/devices/cpu/ThreadPool.h"

#include "base/Env.h"
#include "base/Log.h"

#include <sched.h>

#include <algorithm>
#include <charconv>

namespace inlay {
namespace {

/// How often a thread looks before it sleeps, about 100 µs: a worker for the next of a model's
/// launches, a caller for the last workers of its own. Putting a thread to sleep and waking it
/// takes some 30 µs, as long as many a launch.
constexpr int kSpinCount = 2000;

/// Waits until it holds, or for a while.
template <typename Condition>
void spinUntil(Condition holds) {
  for (int i = 0; i < kSpinCount && !holds(); ++i)
    __builtin_ia32_pause();
}

} // namespace

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    isStopping_ = true;
    numJobsAdded_.fetch_add(1, std::memory_order_release);
  }
  jobAdded_.notify_all();
  for (pthread_t worker : workers_)
    ::pthread_join(worker, nullptr);
}

void ThreadPool::ensureWorkers(uint32_t count) {
  std::lock_guard lock(mutex_);
  // Not std::thread, which throws where the system refuses.
  const auto start = [](void *pool) -> void * {
    static_cast<ThreadPool *>(pool)->workerLoop();
    return nullptr;
  };
  pthread_t worker;
  while (workers_.size() < count && ::pthread_create(&worker, nullptr, start, this) == 0)
    workers_.push_back(worker);
  numWorkers_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
}

void ThreadPool::work(Job &job, uint32_t place) {
  for (;;) {
    const uint64_t begin = job.next.fetch_add(job.chunk, std::memory_order_relaxed);
    if (begin >= job.count)
      return;
    job.body(job.data, place, begin, std::min(job.count, begin + job.chunk));
  }
}

void ThreadPool::run(uint64_t count, uint64_t chunk, uint32_t maxThreads, Body body, void *data) {
  const uint64_t numChunks = (count + chunk - 1) / chunk;
  const uint64_t helpers = std::min<uint64_t>(
      {numChunks ? numChunks - 1 : 0, maxThreads ? maxThreads - 1 : 0, numWorkers()});
  if (helpers == 0) {
    if (count)
      body(data, 0, 0, count);
    return;
  }
  Job job{body, data, count, chunk, {}, static_cast<uint32_t>(helpers)};
  {
    std::lock_guard lock(mutex_);
    job.nextJob = jobs_;
    jobs_ = &job;
    numJobsAdded_.fetch_add(1, std::memory_order_release);
  }
  if (helpers == 1)
    jobAdded_.notify_one();
  else
    jobAdded_.notify_all();
  work(job, 0);
  {
    std::lock_guard lock(mutex_);
    removeJob(job); // from here on no worker comes
  }
  const auto isDone = [&] { return job.numActive.load(std::memory_order_acquire) == 0; };
  spinUntil(isDone);
  if (isDone())
    return;
  std::unique_lock lock(mutex_);
  workerLeft_.wait(lock, isDone);
}

ThreadPool::Job *ThreadPool::findOpenJob() {
  for (Job *job = jobs_; job; job = job->nextJob)
    if (job->openPlaces > 0 && job->next.load(std::memory_order_relaxed) < job->count)
      return job;
  return nullptr;
}

void ThreadPool::removeJob(Job &job) {
  Job **link = &jobs_;
  while (*link != &job)
    link = &(*link)->nextJob;
  *link = job.nextJob;
}

void ThreadPool::workerLoop() {
  std::unique_lock lock(mutex_);
  while (!isStopping_) {
    Job *job = findOpenJob();
    if (!job) {
      const uint64_t seen = numJobsAdded_.load(std::memory_order_relaxed);
      lock.unlock();
      spinUntil([&] { return numJobsAdded_.load(std::memory_order_acquire) != seen; });
      lock.lock();
      jobAdded_.wait(lock, [&] { return numJobsAdded_.load(std::memory_order_relaxed) != seen; });
      continue;
    }
    const uint32_t place = job->openPlaces--;
    job->numActive.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    work(*job, place);
    // The caller may return, and the job be gone, as soon as this is 0.
    const bool isLast = job->numActive.fetch_sub(1, std::memory_order_acq_rel) == 1;
    lock.lock();
    if (isLast)
      workerLeft_.notify_all();
  }
}

uint32_t defaultNumThreads() {
  if (const auto text = findEnvironment(EnvironmentVariable::NumThreads)) {
    uint32_t count = 0;
    const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), count);
    if (error == std::errc() && stop == text->data() + text->size() && count > 0)
      return std::min(count, 4096u);
    INLAY_LOG(Cpu, Warn, "INLAY_NUM_THREADS is '{}'; expected a number from 1 on", *text);
  }
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
    return static_cast<uint32_t>(CPU_COUNT(&set));
  return 1;
}

} // namespace inlay
