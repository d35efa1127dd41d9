// All rows, by group, and which of them the standard set takes.
#pragma once

#include "tests/conformance/Row.h"

#include <span>

namespace inlay::conformance {

struct Group {
  std::string_view name;
  int numUpstream;    // parametrizations of the upstream test
  size_t numStandard; // rows of the standard set
  std::string_view description;
};
std::span<const Group> allGroups();

/// Collects rows. Aborts on a group that Groups.def does not name and on a name that is taken.
class RowTable {
public:
  void add(Row row);
  const std::vector<Row> &rows() const { return rows_; }
  /// Rows whose full name matches the pattern (as file names match, "*" everything); of each group
  /// the standard number, chosen by the hash of the name, or all.
  std::vector<const Row *> select(const std::string &pattern, bool isAll) const;
  /// Of rows one in `count`, chosen by the hash of the name; `part` < count says which.
  static std::vector<const Row *> share(const std::vector<const Row *> &rows, uint64_t part,
                                        uint64_t count);

private:
  std::vector<Row> rows_;
};

// One function for each file of rows/.
#define INLAY_CONFORMANCE_ROWS(name) void add##name##Rows(RowTable &table);
#include "tests/conformance/RowFiles.def"
#undef INLAY_CONFORMANCE_ROWS

/// Every row there is.
RowTable buildRowTable();

} // namespace inlay::conformance
