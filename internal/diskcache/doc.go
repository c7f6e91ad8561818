// Package diskcache keeps temporary credentials in files, so that processes of
// one user share them: a hundred processes make one call, and ask a person for one
// code. It knows nothing of STS; its caller says how an entry is fetched, and what
// decides its key.
//
// # The way of an entry
//
// [Store.Through] reads the entry first, without a lock. If it is not good enough,
// the process takes the entry's lock, reads again (another process may have
// written meanwhile), fetches, writes a temporary file, renames it into place and
// unlocks. So a reader sees a whole entry or none, and one process at a time
// fetches. The operating system releases the lock of a process that dies.
//
// The cache never stands in the way. Where it cannot be used there is a warning,
// and credentials are fetched as if there were no cache. An entry that is damaged,
// expired or of somebody else counts as absent.
//
// # Whom the files are trusted to
//
// Entries are files of mode 0600 in a directory of mode 0700. Whoever can read the
// user's files can read plain entries and use the credentials until they expire:
// the user's other programs, root, backups, whoever starts the machine from
// another disk. It is the same with the cache of the AWS CLI. With Config.Key an
// entry is encrypted, and then the files alone are worth nothing.
//
// What is read is believed only if the user alone can have written it: a regular
// file that the user owns and that nobody else can read, in a directory that the
// user owns and nobody else can write. Ownership is asked of the opened file, not
// of its path. So somebody who can swap the directory itself, because its parent is
// open to others, can hand out nothing that the user has not written, and cannot
// read what the user writes there. Each entry names its own key: one that was
// copied under another name is not read.
//
// AWS_RESTRICT_FILE_PERMISSIONS, which tells the SDK how to write its own files,
// changes nothing here.
//
// # Why it is not the AWS CLI's cache directory
//
// The CLI names an entry by the role and the parameters of the call, not by who
// asks. There two callers of one role share an entry, and one of them works with
// the session of the other. It writes in place, so that a process that is killed
// leaves half a file, and its directory can be read by everybody. A key of this
// package has to include who asks.
//
// # Files
//
//	CACHEDIR.TAG          tells backup programs to pass the directory over
//	<key>.json            a plain entry
//	<key>.sealed          an encrypted entry
//	<key>.lock            an empty file, the lock of both
//	awsauth-<random>.tmp  an entry that is being written
//
// Plain and encrypted entries of one key have names of their own, so that a
// process with a key and one without do not replace each other's entries. What a
// killed process left is removed later: temporary files after an hour, entries and
// locks after two days.
//
// # Systems
//
// Unix: locks are flock(2), which the kernel also keeps between two descriptors of
// one process. On NFS the kernel makes them byte-range locks of the server; a mount
// without a lock service gives an error, hence a warning and no lock.
//
// Windows: locks are LockFileEx, released when the process ends. Go opens files
// without FILE_SHARE_DELETE (golang/go#32188), so that a reader blocks a rename for
// the moment it reads: renaming and opening are tried again for a quarter of a
// second. Modes mean nothing there. Who may read the files is decided by the access
// list that they inherit: in the default directory the user, the system and the
// administrators.
//
// Other systems have no lock that the package knows: a warning, and no lock.
package diskcache
