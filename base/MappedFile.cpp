#include "base/MappedFile.h"

#include "base/Error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace inlay {

Result<MappedFile> MappedFile::open(const std::string &path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return Status(errno == ENOENT ? StatusCode::NotFound : StatusCode::InvalidArgument,
                  fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  struct stat info{};
  Status problem;
  void *address = nullptr;
  if (::fstat(file, &info) != 0) {
    problem = invalidArgument("cannot read '{}': {}", path, std::strerror(errno));
  } else if (!S_ISREG(info.st_mode)) {
    problem = invalidArgument("'{}' is no regular file", path);
  } else if (info.st_size > 0) {
    address = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED)
      problem = invalidArgument("cannot map '{}': {}", path, std::strerror(errno));
  }
  ::close(file);
  INLAY_TRY(std::move(problem));
  return MappedFile({static_cast<const std::byte *>(address), static_cast<size_t>(info.st_size)});
}

MappedFile::MappedFile(MappedFile &&other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty())
    ::munmap(const_cast<std::byte *>(bytes_.data()), bytes_.size());
}

} // namespace inlay
