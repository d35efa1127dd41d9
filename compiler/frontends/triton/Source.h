// A source text with its lines, and the diagnostics made about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::triton {

/// Bytes [begin, end) of a source file.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// Line and column, both from 1; the column counts characters, not bytes.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

/// The text of one file and where its lines begin.
class SourceFile {
public:
  SourceFile(std::string path, std::string text);
  SourceFile(const SourceFile &) = delete;
  SourceFile &operator=(const SourceFile &) = delete;

  const std::string &path() const { return path_; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const;
  LineColumn locate(uint32_t offset) const;
  /// The text of a line counted from 1, without its end.
  std::string_view line(uint32_t number) const;
  uint32_t lineBegin(uint32_t number) const;

private:
  std::string path_;
  std::string text_;
  std::vector<uint32_t> lineBegins_;
};

/// One error with the notes that explain it.
struct Diagnostic {
  struct Note {
    const SourceFile *file; // null: a note without a place
    Span span;
    std::string message;
  };
  const SourceFile *file;
  Span span;
  std::string message;
  std::vector<Note> notes;

  Diagnostic &note(const SourceFile &where, Span at, std::string text);
  Diagnostic &note(std::string text);
};

/// Collects errors; after kLimit of them the rest are counted only. Borrows the files for life.
class Diagnostics {
public:
  static constexpr size_t kLimit = 20;

  /// Adds an error. The reference is valid until the next call.
  Diagnostic &error(const SourceFile &file, Span span, std::string message);
  bool hasErrors() const { return count_ != 0; }
  size_t count() const { return count_; }
  const std::vector<Diagnostic> &errors() const { return errors_; }
  /// All errors as compilers print them: "path:line:column: error: message", the line, a caret with
  /// the underlined rest, and the notes in the same form.
  std::string render() const;

private:
  std::vector<Diagnostic> errors_;
  Diagnostic overflow_{};
  size_t count_ = 0;
};

} // namespace inlay::triton
