#include "tools/inlay/CheckWorkers.h"

#include "base/Error.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inlay::tools {

namespace {

using Clock = std::chrono::steady_clock;

/// One process at work, and what it has written so far.
struct Worker {
  pid_t process = -1;
  int pipe = -1;
  size_t kernel = 0;
  Clock::time_point deadline;
  std::string output;
};

/// What a worker does: never returns.
[[noreturn]] void work(int pipe, const KernelPackage &package, const FoundKernel &kernel,
                       const KernelCheckOptions &options, const CheckLimits &limits) {
  rlim_t bytes = static_cast<rlim_t>(limits.megabytes) << 20;
  rlimit memory{bytes, bytes};
  setrlimit(RLIMIT_AS, &memory);
  rlimit core{0, 0};
  setrlimit(RLIMIT_CORE, &core);
  std::string text = toJson(checkKernel(kernel, package.launchesOf(kernel), options));
  for (size_t written = 0; written < text.size();) {
    ssize_t count = write(pipe, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR)
      _exit(1);
    written += count > 0 ? static_cast<size_t>(count) : 0;
  }
  _exit(0);
}

class WorkerPool {
public:
  WorkerPool(const KernelPackage &package, const std::vector<FoundKernel> &kernels,
             const KernelCheckOptions &options, const CheckLimits &limits)
      : package_(package), options_(options), limits_(limits), isDone_(kernels.size(), false) {
    for (const FoundKernel &kernel : kernels)
      results_.push_back({kernel, {}, ""});
  }
  ~WorkerPool() {
    for (Worker &worker : workers_)
      stop(worker);
  }

  Status run(const std::function<void(const CheckedKernel &)> &seen);
  std::vector<CheckedKernel> takeResults() { return std::move(results_); }

private:
  Status start();
  void wait();
  void stop(Worker &worker);
  void finish(Worker &worker, bool isLate);

  const KernelPackage &package_;
  const KernelCheckOptions &options_;
  const CheckLimits &limits_;
  std::vector<CheckedKernel> results_;
  std::vector<bool> isDone_;
  std::vector<Worker> workers_;
  size_t next_ = 0;
};

Status WorkerPool::start() {
  int ends[2];
  if (pipe(ends) != 0)
    return internalError("a pipe cannot be made: {}", std::strerror(errno));
  fflush(stdout);
  pid_t process = fork();
  if (process < 0) {
    close(ends[0]);
    close(ends[1]);
    return internalError("a process cannot be made: {}", std::strerror(errno));
  }
  if (process == 0) {
    close(ends[0]);
    work(ends[1], package_, results_[next_].kernel, options_, limits_);
  }
  close(ends[1]);
  workers_.push_back(
      {process, ends[0], next_++, Clock::now() + std::chrono::seconds(limits_.seconds), ""});
  return {};
}

void WorkerPool::stop(Worker &worker) {
  kill(worker.process, SIGKILL);
  int status = 0;
  waitpid(worker.process, &status, 0);
  close(worker.pipe);
}

void WorkerPool::finish(Worker &worker, bool isLate) {
  CheckedKernel &checked = results_[worker.kernel];
  isDone_[worker.kernel] = true;
  if (isLate) {
    stop(worker);
    checked.failure = fmt::format("it took longer than {} seconds (--timeout)", limits_.seconds);
    return;
  }
  int status = 0;
  waitpid(worker.process, &status, 0);
  close(worker.pipe);
  if (WIFSIGNALED(status)) {
    checked.failure = fmt::format("the compiler crashed: {} (this is a bug of Inlay, or the kernel "
                                  "needs more than --memory {})",
                                  strsignal(WTERMSIG(status)), limits_.megabytes);
    return;
  }
  Result<KernelCheckResult> result = readKernelCheckResult(worker.output);
  if (result.isOk())
    checked.result = std::move(*result);
  else
    checked.failure = fmt::format("the compiler ended with status {} and no result: {}",
                                  WEXITSTATUS(status), result.status().message());
}

/// Waits for output or an end, and takes workers off that are done or late.
void WorkerPool::wait() {
  std::vector<pollfd> descriptors;
  for (const Worker &worker : workers_)
    descriptors.push_back({worker.pipe, POLLIN, 0});
  poll(descriptors.data(), descriptors.size(), 200);
  for (size_t i = workers_.size(); i-- > 0;) {
    Worker &worker = workers_[i];
    bool hasEnded = false;
    if (descriptors[i].revents != 0) {
      char buffer[65536];
      ssize_t count = read(worker.pipe, buffer, sizeof(buffer));
      if (count > 0)
        worker.output.append(buffer, static_cast<size_t>(count));
      hasEnded = count == 0 || (count < 0 && errno != EINTR);
    }
    bool isLate = !hasEnded && Clock::now() > worker.deadline;
    if (!hasEnded && !isLate)
      continue;
    finish(worker, isLate);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

Status WorkerPool::run(const std::function<void(const CheckedKernel &)> &seen) {
  for (size_t shown = 0; shown < results_.size();) {
    while (next_ < results_.size() && workers_.size() < static_cast<size_t>(limits_.jobs))
      INLAY_TRY(start());
    wait();
    for (; shown < results_.size() && isDone_[shown]; ++shown)
      seen(results_[shown]);
  }
  return {};
}

} // namespace

Result<std::vector<CheckedKernel>>
checkInWorkers(const KernelPackage &package, const std::vector<FoundKernel> &kernels,
               const KernelCheckOptions &options, const CheckLimits &limits,
               const std::function<void(const CheckedKernel &)> &seen) {
  WorkerPool pool(package, kernels, options, limits);
  INLAY_TRY(pool.run(seen));
  return pool.takeResults();
}

} // namespace inlay::tools
