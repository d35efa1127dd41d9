#include "runtime/devices/cpu/ThreadPool.h"

#include "base/Env.h"
#include "base/Log.h"

#include <sched.h>

#include <algorithm>
#include <charconv>

namespace inlay {
namespace {

/// How often a worker looks for a job before it sleeps, about 20 µs: runs that follow each other
/// quickly then do not pay for waking it.
constexpr int kSpinCount = 400;

void pause() { __builtin_ia32_pause(); }

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
  std::unique_lock lock(mutex_);
  removeJob(job);
  workerLeft_.wait(lock, [&] { return job.numActive == 0; });
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
      for (int i = 0; i < kSpinCount && numJobsAdded_.load(std::memory_order_acquire) == seen; ++i)
        pause();
      lock.lock();
      jobAdded_.wait(lock, [&] { return numJobsAdded_.load(std::memory_order_relaxed) != seen; });
      continue;
    }
    const uint32_t place = job->openPlaces--;
    ++job->numActive;
    lock.unlock();
    work(*job, place);
    lock.lock();
    if (--job->numActive == 0)
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
