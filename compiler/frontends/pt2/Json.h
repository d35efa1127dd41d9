// Reading fields out of JSON with errors that name their path.
#pragma once

#include "base/Error.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::pt2 {

/// A parsed text. Fields keep the order of the text.
using JsonDocument = nlohmann::ordered_json;

/// A JSON value and the path that led to it: "graph_module.graph.nodes[3]". Borrows the document.
class Json {
public:
  Json(const JsonDocument &value, std::string path) : value_(&value), path_(std::move(path)) {}

  const std::string &path() const { return path_; }
  bool isNull() const { return value_->is_null(); }
  bool isObject() const { return value_->is_object(); }
  bool isArray() const { return value_->is_array(); }
  bool isString() const { return value_->is_string(); }
  /// The value as JSON text.
  std::string text() const {
    return value_->dump(-1, ' ', false, JsonDocument::error_handler_t::replace);
  }

  /// A field that must be there and not null.
  Result<Json> field(std::string_view key) const {
    if (!isObject())
      return wrongKind("an object with the field '" + std::string(key) + "'");
    std::optional<Json> value = find(key);
    if (!value)
      return invalidArgument("{}: the field '{}' is missing or null", place(), key);
    return *value;
  }
  /// A field; nullopt if it is absent or null, or this is no object.
  std::optional<Json> find(std::string_view key) const {
    if (!isObject())
      return std::nullopt;
    auto found = value_->find(key);
    if (found == value_->end() || found->is_null())
      return std::nullopt;
    return Json(*found, childPath(key));
  }
  /// Element `index` of an array; nullopt if there is none, or this is no array.
  std::optional<Json> findElement(size_t index) const {
    if (!isArray() || index >= value_->size())
      return std::nullopt;
    return Json((*value_)[index], path_ + "[" + std::to_string(index) + "]");
  }

  Result<int64_t> asInt() const {
    const auto *positive = value_->get_ptr<const JsonDocument::number_unsigned_t *>();
    if (positive && *positive > static_cast<uint64_t>(INT64_MAX))
      return wrongKind("an integer of 64 bits");
    if (!value_->is_number_integer())
      return wrongKind("an integer");
    return value_->get<int64_t>();
  }
  Result<bool> asBool() const {
    if (!value_->is_boolean())
      return wrongKind("a boolean");
    return value_->get<bool>();
  }
  Result<std::string> asString() const {
    if (!isString())
      return wrongKind("a string");
    return value_->get_ref<const std::string &>();
  }
  /// Integers count as floats; "Infinity", "-Infinity" and "NaN" are written as strings.
  Result<double> asFloat() const {
    if (value_->is_number())
      return value_->get<double>();
    if (isString()) {
      const auto &text = value_->get_ref<const std::string &>();
      if (text == "Infinity" || text == "-Infinity")
        return text.front() == '-' ? -__builtin_inf() : __builtin_inf();
      if (text == "NaN")
        return __builtin_nan("");
    }
    return wrongKind("a number");
  }
  Result<std::string> stringField(std::string_view key) const {
    INLAY_ASSIGN(Json value, field(key));
    return value.asString();
  }
  /// The text of a field, empty if it is absent or null.
  Result<std::string> optionalString(std::string_view key) const {
    std::optional<Json> value = find(key);
    if (!value)
      return std::string();
    return value->asString();
  }

  /// Calls `visit(Json)` for each element of an array.
  template <typename Visit>
  Status forEach(Visit visit) const {
    if (!isArray())
      return wrongKind("an array");
    size_t index = 0;
    for (const JsonDocument &value : *value_)
      INLAY_TRY(visit(Json(value, path_ + "[" + std::to_string(index++) + "]")));
    return {};
  }
  /// Calls `visit(key, Json)` for each field of an object.
  template <typename Visit>
  Status forEachField(Visit visit) const {
    if (!isObject())
      return wrongKind("an object");
    for (const auto &[key, value] : value_->items())
      INLAY_TRY(visit(std::string_view(key), Json(value, childPath(key))));
    return {};
  }
  /// A union: an object with exactly one key.
  Result<std::pair<std::string, Json>> asUnion() const {
    if (!isObject())
      return wrongKind("an object with exactly one key");
    if (value_->size() != 1)
      return invalidArgument("{}: found an object with {} keys, expected exactly one", place(),
                             value_->size());
    auto only = value_->begin();
    return std::pair(only.key(), Json(only.value(), childPath(only.key())));
  }

  Status wrongKind(std::string_view expected) const {
    return invalidArgument("{}: found {}, expected {}", place(), found(), expected);
  }
  /// The path as messages name it; the document itself has none.
  std::string_view place() const {
    return path_.empty() ? std::string_view("the top of the JSON") : std::string_view(path_);
  }

  /// A text of the document as messages show it: its start, if it is long.
  static std::string shortened(std::string_view text, size_t maxBytes = 64) {
    if (text.size() <= maxBytes)
      return std::string(text);
    size_t end = maxBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
      --end; // not inside a character of several bytes
    return std::string(text.substr(0, end)) + "...";
  }

private:
  /// Long keys are cut: a path is made for every value, so that they would cost their length each
  /// time.
  std::string childPath(std::string_view key) const {
    return path_.empty() ? shortened(key) : path_ + "." + shortened(key);
  }

  std::string found() const {
    if (isArray())
      return "an array";
    if (isObject())
      return "an object";
    if (isString())
      return "the string '" + shortened(value_->get_ref<const std::string &>()) + "'";
    return text();
  }

  const JsonDocument *value_;
  std::string path_;
};

/// Says why a text is no JSON.
class JsonErrorFinder : public nlohmann::json_sax<JsonDocument> {
public:
  static std::string find(std::string_view text) {
    JsonErrorFinder finder;
    JsonDocument::sax_parse(text, &finder);
    return std::move(finder.reason_);
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t &) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t, const std::string &, const nlohmann::detail::exception &error) override {
    // The library puts its own name for the error in brackets before the reason.
    std::string_view text = error.what();
    const size_t bracket = text.find("] ");
    reason_ = Json::shortened(bracket == text.npos ? text : text.substr(bracket + 2), 200);
    return false;
  }

private:
  std::string reason_;
};

/// Watches the parser for what the library would let pass: too deep nesting, and fields given
/// twice, of which it would keep the last.
class JsonWatch {
public:
  static constexpr int kMaxDepth = 256; // for the sake of those who walk the document

  /// For each event of the parser; false: do not keep the value.
  bool operator()(int depth, JsonDocument::parse_event_t event, const JsonDocument &value) {
    using Event = JsonDocument::parse_event_t;
    isTooDeep_ |= depth > kMaxDepth;
    if (isTooDeep_ || !twice_.empty())
      return false;
    const auto level = static_cast<size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) {
      levels_.resize(level);
      levels_.emplace_back();
    } else if (event == Event::key) {
      Level &object = levels_[level - 1];
      object.key = value.get_ref<const std::string &>();
      if (!object.keys.insert(object.key).second)
        noteTwice(level - 1);
    }
    return true;
  }
  bool isTooDeep() const { return isTooDeep_; }
  /// What was found, empty if all is well.
  const std::string &twice() const { return twice_; }

private:
  struct Level {
    std::string key; // at hand
    std::set<std::string, std::less<>> keys;
  };

  void noteTwice(size_t level) {
    std::string path;
    for (size_t i = 0; i < level; ++i)
      if (!levels_[i].key.empty())
        path += (path.empty() ? "" : ".") + Json::shortened(levels_[i].key);
    twice_ = fmt::format("{}: found the field '{}' twice, expected it once",
                         path.empty() ? "the top of the JSON" : path,
                         Json::shortened(levels_[level].key));
  }

  std::vector<Level> levels_;
  bool isTooDeep_ = false;
  std::string twice_;
};

/// Parses a text into `document`, which must outlive the result. Errors: DataLoss with the reason;
/// InvalidArgument for a field given twice.
inline Result<Json> parseJson(JsonDocument &document, std::span<const std::byte> bytes,
                              std::string_view what) {
  constexpr size_t kMaxBytes = size_t{1} << 30;
  if (bytes.size() > kMaxBytes)
    return invalidArgument("{} has {} bytes; at most {} are read", what, bytes.size(), kMaxBytes);
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  JsonWatch watch;
  document = JsonDocument::parse(text, std::ref(watch), /*allow_exceptions=*/false);
  if (watch.isTooDeep())
    return dataLoss("{} is not valid: it is nested more than {} deep", what, JsonWatch::kMaxDepth);
  if (!watch.twice().empty())
    return invalidArgument("{}", watch.twice());
  if (document.is_discarded())
    return dataLoss("{} is not valid: {}", what, JsonErrorFinder::find(text));
  return Json(document, "");
}

} // namespace inlay::pt2
