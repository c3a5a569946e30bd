# embed.cmake - the page's files as rows of struct page_file (src/admin/admin_page.c), each plain and by gzip.
#   cmake -DOUT=FILE -DFOLDER=FOLDER -DFILES=NAME;… -P embed.cmake
set(types_html "text/html; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")

# The bytes of a file as the C array NAME, added to arrays.
macro(add_array name file)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char ${name}[] = {\n${bytes}\n};\n")
endmacro()

get_filename_component(folder ${OUT} DIRECTORY) # of the generators only Ninja makes it
file(MAKE_DIRECTORY ${folder})

set(arrays "")
set(rows "")
foreach(name IN LISTS FILES)
  set(file ${FOLDER}/${name})
  string(MAKE_C_IDENTIFIER ${name} array)
  string(REGEX REPLACE ".*\\." "" suffix ${name})
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${OUT}.gz COMMAND_ERROR_IS_FATAL ANY)
  add_array(${array} ${file})
  add_array(${array}_gz ${OUT}.gz)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(REPLACE index.html "" path ${name})
  string(APPEND rows "    { \"/${path}\", \"${types_${suffix}}\", \"\\\"${hash}\\\"\", \"\\\"${hash}-gzip\\\"\",\n"
    "      ${array}, sizeof(${array}), ${array}_gz, sizeof(${array}_gz) },\n")
endforeach()
file(REMOVE ${OUT}.gz)
file(WRITE ${OUT} "/* Made by embed.cmake. */\n${arrays}\nstatic const struct page_file page_files[] = {\n${rows}};\n")
